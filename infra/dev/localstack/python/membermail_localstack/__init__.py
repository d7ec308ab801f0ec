"""LocalStack plugins: a Lambda executor without Docker, DynamoDB Local on loopback only, and a record of AWS calls."""

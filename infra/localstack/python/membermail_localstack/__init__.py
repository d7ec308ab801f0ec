"""What LocalStack needs to run without Docker: a Lambda executor and a DynamoDB that keeps to loopback."""

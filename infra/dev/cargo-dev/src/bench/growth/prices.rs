//! AWS list prices in us-east-1 as of 28 November 2026, without free tier and volume discounts. `SOURCES` lists the price
//! pages, and guides that quote them where a page was not available.

/// A price in US dollars.
pub(crate) struct Price {
    /// Unit name in the usage of a month.
    pub(crate) unit: &'static str,
    /// Dollars per unit.
    pub(crate) dollars: f64,
    /// AWS service, the group in the bill.
    pub(crate) service: &'static str,
    /// Description for the table.
    pub(crate) description: &'static str,
}

/// Date of the prices.
pub(crate) const DATE: &str = "2026-11-28";

/// Sources of the prices, by service.
#[rustfmt::skip]
pub(crate) const SOURCES: [(&str, &str); 9] = [
    ("CloudWatch", "https://aws.amazon.com/cloudwatch/pricing/ and https://signoz.io/guides/cloudwatch-pricing (2026-02-15)"),
    ("DynamoDB", "https://aws.amazon.com/dynamodb/pricing/on-demand/ and https://airbyte.com/data-engineering-resources/dynamodb-pricing"),
    ("SQS", "https://aws.amazon.com/sqs/pricing/ and https://cloudburn.io/blog/amazon-sqs-pricing (2026-03-14)"),
    ("Lambda", "https://aws.amazon.com/lambda/pricing/ and https://cloudchipr.com/blog/aws-lambda-pricing (arm64)"),
    ("API Gateway", "https://aws.amazon.com/api-gateway/pricing/ and https://awsforengineers.com/blog/aws-api-gateway-pricing-explained"),
    ("Secrets Manager", "https://aws.amazon.com/secrets-manager/pricing/"),
    ("Data transfer", "https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"),
    ("EventBridge", "https://aws.amazon.com/eventbridge/pricing/ (rules by schedule on the default bus cost nothing)"),
    ("SQS polling", "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (read 2026-11-28)"),
];

const fn price(unit: &'static str, dollars: f64, service: &'static str, description: &'static str) -> Price {
    Price { unit, dollars, service, description }
}

const MILLION: f64 = 1e-6;
const GB: f64 = 1e-9;

/// The price of every unit.
pub(crate) const PRICES: [Price; 19] = [
    price("metrics", 0.30, "CloudWatch", "custom metrics"),
    price("alarm metrics", 0.10, "CloudWatch", "metrics in alarms"),
    price("dashboards", 3.00, "CloudWatch", "dashboards"),
    price("log bytes", 0.50 * GB, "CloudWatch", "logs, ingested"),
    // Stored compressed: the price page assumes 15% of the ingested size.
    price("stored log bytes", 0.03 * 0.15 * GB, "CloudWatch", "logs, stored"),
    price("read units", 0.125 * MILLION, "DynamoDB", "read request units"),
    price("write units", 0.625 * MILLION, "DynamoDB", "write request units"),
    price("table bytes", 0.25 * GB, "DynamoDB", "storage"),
    price("backup bytes", 0.20 * GB, "DynamoDB", "point-in-time recovery"),
    price("messages", 0.40 * MILLION, "SQS", "sends, receives and deletes of messages"),
    price("polls", 0.40 * MILLION, "SQS", "receives that find nothing"),
    price("invocations", 0.20 * MILLION, "Lambda", "requests"),
    price("GB-seconds", 0.000_013_333_4, "Lambda", "GB-seconds on arm64"),
    price("API requests", 3.50 * MILLION, "API Gateway", "requests, REST"),
    price("secrets", 0.40, "Secrets Manager", "secrets"),
    price("secret reads", 0.05 / 10_000.0, "Secrets Manager", "calls"),
    price("bytes out", 0.09 * GB, "Data transfer", "to browsers, Launchpad and the mail server"),
    // Not billed by AWS.
    price("Launchpad requests", 0.0, "–", "requests to Launchpad"),
    price("sync seconds", 0.0, "–", "seconds of sync-team"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_a_source() {
        for price in PRICES.iter().filter(|price| price.service != "–") {
            assert!(SOURCES.iter().any(|(service, _)| *service == price.service), "{}", price.service);
        }
    }
}

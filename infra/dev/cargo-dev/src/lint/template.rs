//! The CloudFormation templates, checked without an AWS account: by cfn-lint, by SAM CLI and by checkov.

use anyhow::Result;
use membermail_toolbox::step;

use crate::tools;

const TEMPLATE: &str = "template.yaml";
/// The roles of the deployment workflow.
const DEPLOYER: &str = "infra/dev/deployer.yaml";
/// Two common regions, every partition besides `aws`, and two recent regions: resource types and properties differ.
const REGIONS: [&str; 8] = [
    "us-east-1",
    "eu-west-1",
    "us-gov-west-1",
    "cn-north-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "mx-central-1",
    "ap-southeast-7",
];

/// Checks the templates against the resource schemas of every partition.
pub(crate) fn lint_in_all_partitions() -> Result<()> {
    step::capture(tools::sam("cfn-lint").arg("--regions").args(REGIONS).args(["--", TEMPLATE, DEPLOYER])).map(drop)
}

/// Checks that `sam deploy` accepts the template.
pub(crate) fn validate() -> Result<()> {
    // Needs a region and contacts no AWS; credentials of a developer stay unused.
    step::capture(tools::sam("sam").args(["validate", "--lint", "--region", REGIONS[0], "--template", TEMPLATE]))
        .map(drop)
}

/// Checks the templates against checkov's rules. Rules that do not apply are listed with a reason in the `Metadata` of the
/// resource.
pub(crate) fn check_security() -> Result<()> {
    let mut checkov = tools::checkov();
    // Everything checkov needs is installed: no downloads, and no upload to its vendor's platform.
    checkov.args(["--framework", "cloudformation", "--skip-download", "--compact", "--quiet"]);
    checkov.args(["--file", TEMPLATE, "--file", DEPLOYER]);
    step::capture(&mut checkov).map(drop)
}

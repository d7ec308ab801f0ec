//! infra/dev/deployer.yaml, evaluated as IAM would: its roles can do what deploying template.yaml takes, and no more.

mod needs;

use anyhow::{Context, Result, ensure};
use iam_rs::{IAMPolicy, Principal, PrincipalId};
use membermail_permissions::is_allowed;
use membermail_permissions::template::Template;
use membermail_toolbox::workspace;

/// The names begin with that of the deployed stack, which the policies must tell apart.
const DEPLOYER: &str = "membermail-deployer";
const STACK: &str = "membermail";
const OWN_SUBJECT: &str = "repo:ubuntu/membermail:environment:production";

fn deployer() -> Result<Template> {
    let parameters = [("Repository", "ubuntu/membermail"), ("RepositoryId", "4242"), ("HostedZoneId", "Z0123456789")];
    Template::read(&workspace().join("infra/dev/deployer.yaml"), DEPLOYER, &parameters)
}

fn deployed() -> Result<Template> {
    Template::read(&workspace().join("template.yaml"), STACK, &[("Tracing", "Active"), ("Gradual", "true")])
}

/// The policies of a role with its managed ones.
fn policies(template: &Template, role: &str) -> Result<Vec<IAMPolicy>> {
    let mut policies = template.policies(role)?;
    for id in template.resources_of_type("AWS::IAM::ManagedPolicy")? {
        let arn = format!("arn:aws:iam::123456789012:policy/{DEPLOYER}-{id}-1A2B3C");
        let attached = template.properties(role)?["ManagedPolicyArns"].as_array().cloned().unwrap_or_default();
        if attached.iter().any(|one| *one == arn.as_str()) {
            policies.extend(template.policies(id)?);
        }
    }
    Ok(policies)
}

fn cloudformation() -> Principal {
    Principal::Service(PrincipalId::String("cloudformation.amazonaws.com".to_owned()))
}

/// Replaces the placeholders of a need.
fn named(text: &str, boundary: &str) -> String {
    let bucket = format!("{DEPLOYER}-codebucket");
    let text = text.replace("deployer-codebucket", &bucket).replace("BOUNDARY", boundary);
    text.replace("STACK", STACK).replace("DEPLOYER", DEPLOYER)
}

fn allows(policies: &[IAMPolicy], boundary: &str, (action, resource, context): needs::ConditionalNeed) -> Result<bool> {
    let context: Vec<_> = context.iter().map(|(key, value)| (*key, named(value, boundary))).collect();
    let context: Vec<_> = context.iter().map(|(key, value)| (*key, value.as_str())).collect();
    is_allowed(policies, cloudformation(), (action, &named(resource, boundary)), &context)
}

fn boundary(template: &Template) -> Result<String> {
    let required = template.properties("ManageRoles")?["PolicyDocument"]["Statement"][0]["Condition"].take();
    Ok(required["StringEquals"]["iam:PermissionsBoundary"].as_str().context("no boundary")?.to_owned())
}

#[test]
fn service_role_manages_every_resource() -> Result<()> {
    let deployer = deployer()?;
    let (policies, boundary) = (policies(&deployer, "ServiceRole")?, boundary(&deployer)?);
    let deployed = deployed()?;
    let mut missing = Vec::new();
    for kind in deployed.types() {
        let needs =
            needs::of(kind).with_context(|| format!("list what CloudFormation does with {kind} in needs.rs"))?;
        for (action, resource) in
            needs.iter().flat_map(|(actions, resource)| actions.iter().map(move |action| (*action, *resource)))
        {
            if !allows(&policies, &boundary, (action, resource, &[]))? {
                missing.push(format!("{kind}: {action} on {resource}"));
            }
        }
    }
    for need in needs::CONDITIONAL {
        if !allows(&policies, &boundary, *need)? {
            missing.push(format!("{need:?}"));
        }
    }
    ensure!(missing.is_empty(), "ServiceRole lacks {missing:#?}");
    Ok(())
}

#[test]
fn service_role_is_limited() -> Result<()> {
    let deployer = deployer()?;
    let (policies, boundary) = (policies(&deployer, "ServiceRole")?, boundary(&deployer)?);
    let mut excess = Vec::new();
    for need in needs::REFUSED {
        if allows(&policies, &boundary, *need)? {
            excess.push(need);
        }
    }
    ensure!(excess.is_empty(), "ServiceRole also may {excess:#?}");
    Ok(())
}

#[test]
fn every_role_has_the_boundary() -> Result<()> {
    let path = workspace().join("template.yaml");
    for (boundary, expected) in
        [("arn:aws:iam::123456789012:policy/b", Some("arn:aws:iam::123456789012:policy/b")), ("", None)]
    {
        let deployed = Template::read(&path, STACK, &[("PermissionsBoundary", boundary)])?;
        let roles = deployed.resources_of_type("AWS::IAM::Role")?;
        ensure!(roles.len() >= 8, "only {roles:?}");
        for role in roles {
            ensure!(deployed.properties(role)?["PermissionsBoundary"].as_str() == expected, "{role}");
        }
    }
    Ok(())
}

#[test]
fn boundary_allows_what_functions_need() -> Result<()> {
    let (deployer, deployed) = (deployer()?, deployed()?);
    let limit = deployer.policies("Boundary")?;
    let mut roles = 0;
    for role in deployed.resources_of_type("AWS::IAM::Role")? {
        let attached = ["AuditAppendOnlyPolicy", "XRayWrites"];
        let mut own = deployed.policies(role)?;
        for id in attached {
            own.extend(deployed.policies(id)?);
        }
        for (action, resource) in own.iter().flat_map(grants) {
            let context = [("kms:ViaService", "secretsmanager.eu-central-1.amazonaws.com")];
            let allowed = is_allowed(&limit, cloudformation(), (&action, &resource.replace('*', "x")), &context)?;
            ensure!(allowed, "the boundary refuses {role} {action} on {resource}");
            roles += 1;
        }
    }
    ensure!(roles > 50, "only {roles} grants are recognized");
    Ok(())
}

/// Actions and resources that a policy allows.
fn grants(policy: &IAMPolicy) -> Vec<(String, String)> {
    let policy = serde_json::to_value(policy).unwrap_or_default();
    let list = |value: &serde_json::Value| match value {
        serde_json::Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let statements = match &policy["Statement"] {
        serde_json::Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let mut grants = Vec::new();
    for statement in statements.iter().filter(|statement| statement["Effect"] == "Allow") {
        for action in list(&statement["Action"]) {
            // An action without a resource of its own is on any.
            let resources = list(&statement["Resource"]).into_iter();
            let resources = resources.map(|one| if one == "*" { "arn:aws:any:::any".to_owned() } else { one });
            grants.extend(resources.map(|resource| (action.clone(), resource)));
        }
    }
    grants
}

#[rstest::rstest]
#[case::this_repository(&[], true)]
#[case::another_repository(&[("sub", "repo:ubuntu/other:environment:production")], false)]
#[case::another_owner(&[("sub", "repo:mallory/membermail:environment:production")], false)]
#[case::longer_name(&[("sub", "repo:ubuntu/membermail-x:environment:production")], false)]
#[case::another_environment(&[("sub", "repo:ubuntu/membermail:environment:staging")], false)]
#[case::no_environment(&[("sub", "repo:ubuntu/membermail:ref:refs/heads/main")], false)]
#[case::pull_request(&[("sub", "repo:ubuntu/membermail:pull_request")], false)]
#[case::name_of_a_new_repository(&[("repository_id", "4243")], false)]
#[case::another_branch(&[("ref", "refs/heads/feature")], false)]
#[case::pull_request_branch(&[("ref", "refs/pull/1/merge")], false)]
#[case::another_audience(&[("aud", "https://github.com/ubuntu")], false)]
fn deploy_role_trusts_one_environment(#[case] changed: &[(&str, &str)], #[case] trusted: bool) -> Result<()> {
    let own =
        [("aud", "sts.amazonaws.com"), ("sub", OWN_SUBJECT), ("repository_id", "4242"), ("ref", "refs/heads/main")];
    let claims = own.map(|(claim, value)| {
        let value = changed.iter().find(|(name, _)| *name == claim).map_or(value, |(_, value)| value);
        (format!("token.actions.githubusercontent.com:{claim}"), value)
    });
    ensure!(is_trusted(&claims, "oidc-provider/token.actions.githubusercontent.com")? == trusted);
    Ok(())
}

#[test]
fn deploy_role_requires_every_claim() -> Result<()> {
    let claims =
        [("sub", OWN_SUBJECT), ("aud", "sts.amazonaws.com"), ("repository_id", "4242"), ("ref", "refs/heads/main")];
    let claims = claims.map(|(claim, value)| (format!("token.actions.githubusercontent.com:{claim}"), value));
    let github = "oidc-provider/token.actions.githubusercontent.com";
    ensure!(is_trusted(&claims, github)? && !is_trusted(&claims, "oidc-provider/gitlab.example")?);
    for missing in 0..claims.len() {
        let mut fewer = claims.to_vec();
        fewer.remove(missing);
        ensure!(!is_trusted(&fewer, github)?, "{:?} is not required", claims[missing]);
    }
    Ok(())
}

/// Whether a token with these claims can assume the role of the workflow.
fn is_trusted(claims: &[(String, &str)], provider: &str) -> Result<bool> {
    let role = format!("arn:aws:iam::123456789012:role/{DEPLOYER}-DeployRole-1A2B3C");
    let mut trust = deployer()?.trust_policy("DeployRole")?;
    // A trust policy has no resource: it is of the role.
    for statement in &mut trust.statement {
        statement.resource = Some(iam_rs::IAMResource::Single(role.clone()));
    }
    let claims: Vec<_> = claims.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let provider = Principal::Federated(PrincipalId::String(format!("arn:aws:iam::123456789012:{provider}")));
    is_allowed(&[trust], provider, ("sts:AssumeRoleWithWebIdentity", &role), &claims)
}

#[test]
fn code_bucket_is_private_and_encrypted() -> Result<()> {
    let deployer = deployer()?;
    let bucket = deployer.properties("CodeBucket")?;
    let block = bucket["PublicAccessBlockConfiguration"].as_object().context("no block")?;
    ensure!(block.len() == 4 && block.values().all(|value| *value == true), "{block:?}");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    ensure!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", "{encryption}");
    ensure!(bucket["VersioningConfiguration"]["Status"] == "Enabled");
    // The code of the last release is needed for going back to it.
    let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().context("no rules")?;
    let expires = |rule: &serde_json::Value| {
        rule.as_object().is_some_and(|rule| rule.keys().any(|key| key.starts_with("Expiration")))
    };
    ensure!(!rules.is_empty() && !rules.iter().any(expires), "{rules:?}");

    let policy = deployer.policies("CodeBucketPolicy")?;
    let object = format!("arn:aws:s3:::{DEPLOYER}-codebucket-1a2b3c/code");
    let upload = policies(&deployer, "DeployRole")?;
    for (tls, expected) in [("true", true), ("false", false)] {
        let both: Vec<_> = policy.iter().chain(&upload).cloned().collect();
        let context = [("aws:SecureTransport", tls)];
        ensure!(is_allowed(&both, cloudformation(), ("s3:PutObject", &object), &context)? == expected, "TLS: {tls}");
    }
    Ok(())
}

const CHANGED: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/membermail/0f1e2d3c";

#[test]
fn deploy_role_changes_only_its_stack() -> Result<()> {
    let deployer = deployer()?;
    let policies = policies(&deployer, "DeployRole")?;
    let service_role = format!("arn:aws:iam::123456789012:role/{DEPLOYER}-ServiceRole-1A2B3C");
    let service_role = service_role.as_str();
    let bucket = format!("arn:aws:s3:::{DEPLOYER}-codebucket-1a2b3c/code");
    let with_role = [("cloudformation:RoleArn", service_role)];
    let other = CHANGED.replace("membermail", "membermail-2");
    for (action, resource, context, expected) in [
        ("s3:PutObject", bucket.as_str(), &[][..], true),
        ("cloudformation:CreateChangeSet", CHANGED, &with_role, true),
        ("cloudformation:ExecuteChangeSet", CHANGED, &[], true),
        ("cloudformation:DescribeStackEvents", CHANGED, &[], true),
        ("cloudformation:ListStackResources", CHANGED, &[], true),
        ("apigateway:GET", "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3/stages", &[], true),
        ("sqs:GetQueueAttributes", "arn:aws:sqs:eu-central-1:123456789012:membermail-WriteQueue-1A2B3C", &[], true),
        ("sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:123456789012:membermail-WriteQueue-1A2B3C", &[], false),
        ("iam:PassRole", service_role, &[("iam:PassedToService", "cloudformation.amazonaws.com")], true),
        ("apigateway:PATCH", "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3/stages", &[], false),
        ("cloudformation:CreateChangeSet", CHANGED, &[], false),
        ("cloudformation:CreateChangeSet", &other, &with_role, false),
        ("cloudformation:ExecuteChangeSet", &other, &[], false),
        ("cloudformation:DeleteStack", CHANGED, &[], false),
        ("iam:PassRole", service_role, &[("iam:PassedToService", "lambda.amazonaws.com")], false),
        ("s3:DeleteObject", &bucket, &[], false),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:123456789012:table/membermail-Table-1A2B3C", &[], false),
    ] {
        let allowed = is_allowed(&policies, cloudformation(), (action, resource), context)?;
        ensure!(allowed == expected, "{action} on {resource} with {context:?}: {allowed}");
    }
    Ok(())
}

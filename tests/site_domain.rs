//! The site's domain, its firewall and its access log: resources that exist only with their parameters.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_tests::template::{Template, plain};
use rstest::rstest;
use scraper::{Html, Selector};
use serde_json::{Value, json};

const DOMAIN: (&str, &str) = ("SiteDomain", "mail.example.org");
const CERTIFICATE: (&str, &str) = ("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/a");
const ZONE: (&str, &str) = ("HostedZoneId", "Z0123456789");

/// The ids of the optional resources that exist.
fn optional(template: &Template) -> BTreeSet<&str> {
    let kinds = ["DomainName", "BasePathMapping", "Account"].map(|kind| format!("AWS::ApiGateway::{kind}"));
    let others = ["AWS::Route53::RecordSet", "AWS::WAFv2::WebACLAssociation"].map(str::to_owned);
    let all = kinds.iter().chain(&others).flat_map(|kind| template.of_type(kind));
    all.map(|(id, _)| id).collect()
}

#[rstest]
#[case::defaults(&[], &[])]
#[case::domain(&[DOMAIN, CERTIFICATE], &["SiteMapping", "SiteName"])]
#[case::domain_and_zone(&[DOMAIN, CERTIFICATE, ZONE], &["SiteMapping", "SiteName", "SiteRecord"])]
#[case::zone_alone(&[ZONE], &[])]
#[case::firewall(&[("WebAclArn", "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b")], &["SiteFirewall"])]
#[case::log_role(&[("AccessLogRole", "true")], &["AccessLogAccount"])]
#[ignore = "needs the local stack (cargo dev test)"]
fn optional_resources_need_their_parameters(
    #[case] parameters: &[(&str, &str)],
    #[case] expected: &[&str],
) -> Result<()> {
    let template = Template::translated(parameters)?;
    let found = optional(&template);
    ensure!(found.iter().eq(expected), "{found:?}");
    let api = template.properties("Api")?;
    let own_url = &api["Body"]["servers"][0]["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"];
    ensure!(*own_url == json!(expected.contains(&"SiteName")), "{own_url}");
    if expected.contains(&"SiteName") {
        let name = template.properties("SiteName")?;
        ensure!(name["DomainName"] == DOMAIN.1 && name["RegionalCertificateArn"] == CERTIFICATE.1, "{name:#}");
        ensure!(name["SecurityPolicy"] == "TLS_1_2", "{name:#}");
        let mapping = template.properties("SiteMapping")?;
        ensure!(mapping["Stage"] == json!({ "Ref": "ApiStage" }) && mapping.get("BasePath").is_none(), "{mapping:#}");
        ensure!(template.exists(&template.document["Outputs"]["SiteDomainTarget"]));
    }
    Ok(())
}

#[rstest]
#[case::url(&[("PublicUrl", "https://example.org/mail")], "https://example.org/mail", "https://example.org/mail")]
#[case::domain(&[DOMAIN, CERTIFICATE], "https://mail.example.org", "https://mail.example.org")]
#[case::both(&[DOMAIN, CERTIFICATE, ("PublicUrl", "https://example.org/mail")], "https://example.org/mail", "https://example.org/mail")]
#[case::neither(&[], "", "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live/")]
#[ignore = "needs the local stack (cargo dev test)"]
fn every_function_has_the_same_url(
    #[case] parameters: &[(&str, &str)],
    #[case] site: &str,
    #[case] mails: &str,
) -> Result<()> {
    let template = Template::translated(parameters)?;
    let mut users = BTreeSet::new();
    for (id, function) in template.of_type("AWS::Lambda::Function") {
        let Some(url) = function["Environment"]["Variables"].get("PUBLIC_URL") else { continue };
        // Without a request there is nothing to derive the URL from.
        let has_requests = !["CheckStatus", "Notify"].contains(&id);
        ensure!(*url == if has_requests { site } else { mails }, "{id}: {url}");
        users.insert(id);
    }
    ensure!(users == ["Account", "Admin", "CheckStatus", "Notify", "Sso"].into(), "{users:?}");
    let output = template.settled(&template.document["Outputs"]["Url"]["Value"]);
    ensure!(plain(&output).trim_end_matches('/') == mails.trim_end_matches('/'), "{output}");
    Ok(())
}

#[rstest]
#[case::defaults(&[], &[])]
#[case::complete(&[DOMAIN, CERTIFICATE, ZONE], &[])]
#[case::replica(&[("ReplicaRegion", "eu-west-1")], &[])]
#[case::no_certificate(&[DOMAIN], &["DomainHasCertificate"])]
#[case::no_domain(&[CERTIFICATE], &["CertificateHasDomain"])]
#[case::only_zone(&[ZONE], &["ZoneHasDomain"])]
#[case::replica_of_foreign_secret(&[("ReplicaRegion", "eu-west-1"), ("MasterSecretArn", "arn:x")], &["ReplicaIsOfOwnSecret"])]
#[ignore = "needs the local stack (cargo dev test)"]
fn rules_refuse_incomplete_parameters(#[case] parameters: &[(&str, &str)], #[case] expected: &[&str]) -> Result<()> {
    let template = Template::translated(parameters)?;
    let rules = template.document["Rules"].as_object().context("no rules")?;
    let mut broken = Vec::new();
    for (name, rule) in rules {
        let applies = template.holds(&rule["RuleCondition"]).with_context(|| format!("{rule:#}"))?;
        let assertions = rule["Assertions"].as_array().into_iter().flatten();
        let holds: Option<Vec<_>> = assertions.map(|one| template.holds(&one["Assert"])).collect();
        if applies && holds.with_context(|| format!("{rule:#}"))?.contains(&false) {
            broken.push(name.as_str());
        }
    }
    ensure!(broken == expected, "{broken:?}");
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn gateway_errors_are_pages() -> Result<()> {
    let template = Template::translated(&[])?;
    let api = template.properties("Api")?;
    let responses = api["Body"]["x-amazon-apigateway-gateway-responses"].as_object().context("no responses")?;
    ensure!(responses.keys().map(String::as_str).eq(["DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"]), "{responses:?}");
    for (name, response) in responses {
        let headers = &response["responseParameters"];
        for (header, value) in [
            ("Strict-Transport-Security", "'max-age=63072000'"),
            ("Cache-Control", "'no-store'"),
            ("X-Content-Type-Options", "'nosniff'"),
            ("X-Frame-Options", "'DENY'"),
        ] {
            ensure!(headers[format!("gatewayresponse.header.{header}")] == value, "{name}: {headers:#}");
        }
        let templates = response["responseTemplates"].as_object().context("no template")?;
        ensure!(templates.len() == 1, "{name}: {templates:?}");
        let html = templates["text/html"].as_str().context("no page")?;
        // API Gateway replaces variables and leaves everything else as it is.
        ensure!(html.starts_with("<!doctype html>") && !html.contains('$'), "{name}: {html}");
        let page = Html::parse_document(html);
        ensure!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        for (selector, count) in [("script, style, link, img, form", 0), ("h1", 1), ("main p", 1)] {
            let selector = Selector::parse(selector).map_err(|error| anyhow::anyhow!("{error}"))?;
            ensure!(page.select(&selector).count() == count, "{name}: {html}");
        }
        ensure!(html.contains("default-src 'none'"), "{name}: {html}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn access_log_has_no_addresses() -> Result<()> {
    let silent = Template::translated(&[])?;
    ensure!(silent.properties("ApiStage")?.get("AccessLogSetting").is_none());
    ensure!(!silent.exists(&silent.document["Resources"]["AccessLogs"]));
    let template = silent.with(&[("AccessLog", "true"), ("LogRetentionDays", "7")])?;
    let stage = template.properties("ApiStage")?;
    let log = template.properties("AccessLogs")?;
    ensure!(plain(&log["RetentionInDays"]) == "7", "{log:#}");
    ensure!(template.exists(&template.document["Resources"]["AccessLogs"]));
    let format = stage["AccessLogSetting"]["Format"].as_str().context("no format")?;
    let fields: Value = serde_json::from_str(format)?;
    let allowed = [
        "requestId",
        "integration.requestId",
        "requestTimeEpoch",
        "httpMethod",
        "resourcePath",
        "status",
        "responseLatency",
        "integration.status",
        "error.responseType",
        "tlsVersion",
    ];
    for (name, variable) in fields.as_object().context("not an object")? {
        let known = variable.as_str().and_then(|variable| variable.strip_prefix("$context."));
        ensure!(known.is_some_and(|variable| allowed.contains(&variable)), "{name}: {variable}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn secret_has_a_replica_on_request() -> Result<()> {
    let template = Template::translated(&[])?;
    ensure!(template.properties("MasterSecret")?.get("ReplicaRegions").is_none());
    let replicated = template.with(&[("ReplicaRegion", "eu-west-1")])?.properties("MasterSecret")?;
    ensure!(replicated["ReplicaRegions"] == json!([{ "Region": "eu-west-1" }]), "{replicated:#}");
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn every_parameter_is_in_one_group() -> Result<()> {
    let template = Template::translated(&[])?;
    let interface = &template.document["Metadata"]["AWS::CloudFormation::Interface"];
    let groups = interface["ParameterGroups"].as_array().context("no groups")?;
    let mut grouped: Vec<_> =
        groups.iter().flat_map(|group| group["Parameters"].as_array()).flatten().map(plain).collect();
    grouped.sort();
    ensure!(grouped.iter().map(String::as_str).eq(template.parameters()), "{grouped:?}");
    Ok(())
}

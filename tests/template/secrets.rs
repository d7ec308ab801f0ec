//! Secrets and the key that encrypts them.

use anyhow::{Context, Result, ensure};

use super::Template;

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn secret_arns_are_checked() -> Result<()> {
    let template = Template::deployed(&[])?;
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:membermail/mail";
    for name in ["MasterSecretArn", "MailSecretArn", "SignInSecretArn", "MembersSecretArn"] {
        let pattern = template.document["Parameters"][name]["AllowedPattern"].as_str().context("no pattern")?;
        let pattern = regex::Regex::new(&format!("^(?:{pattern})$"))?;
        for (value, is_valid) in [
            (String::new(), true),
            (format!("{arn}-Ab12Cd"), true),
            (arn.to_owned(), false),
            ("mail".to_owned(), false),
        ] {
            ensure!(pattern.is_match(&value) == is_valid, "{name}={value}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn customer_key_is_for_secrets_only() -> Result<()> {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1";
    for (parameters, has_key) in [(&[][..], false), (&[("SecretKeyArn", key)], true)] {
        let template = Template::deployed(parameters)?;
        for (id, role) in template.of_type("AWS::IAM::Role") {
            let reads_secrets = role["Policies"].to_string().contains("secretsmanager:GetSecretValue");
            let decrypts = role["ManagedPolicyArns"].to_string().contains("SecretKeyUse");
            ensure!(decrypts == (has_key && reads_secrets), "{id}: {role:#}");
        }
        let alias_map = template.properties("AliasMapPolicy")?.to_string();
        ensure!(alias_map.contains("kms:Decrypt") == has_key, "{alias_map}");
        ensure!((template.properties("MasterSecret")?["KmsKeyId"] == key) == has_key);
    }
    let allowed = Template::deployed(&[("SecretKeyArn", key)])?.properties("SecretKeyUse")?;
    let statement = &allowed["PolicyDocument"]["Statement"][0];
    ensure!(statement["Action"] == "kms:Decrypt" && statement["Resource"] == key, "{statement:#}");
    ensure!(statement["Condition"]["StringEquals"]["kms:ViaService"].to_string().contains("secretsmanager."));
    Ok(())
}

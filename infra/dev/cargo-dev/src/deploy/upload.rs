//! Uploads the functions and the template. Keys contain the hash of the content, so that an unchanged function is not
//! uploaded again, and a deployment never changes the code of another one.

use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest, Sha256};

use super::account::Account;
use super::aws_error::describe;
use crate::builds::{NAMES, replace_locations, zip_in};

/// Prefix of all keys.
const PREFIX: &str = "membermail";

/// A file for the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) content: Vec<u8>,
}

impl Upload {
    /// A file with the key `membermail/NAME/HASH.EXTENSION`.
    pub(crate) fn new(name: &str, extension: &str, content: Vec<u8>) -> Self {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&content));
        Self { key: format!("{PREFIX}/{name}/{hash}.{extension}"), content }
    }
}

/// The zips in a folder of builds, and the template that names their places in the bucket.
pub(crate) fn prepare(folder: &Path, template: &str, bucket: &str) -> Result<(Vec<Upload>, Upload)> {
    let mut zips = Vec::new();
    for name in NAMES {
        let zip = zip_in(folder, name);
        let content = std::fs::read(&zip).with_context(|| format!("cannot read {}", zip.display()))?;
        zips.push(Upload::new(name, "zip", content));
    }
    let location = |name: &str| {
        let at = NAMES.iter().position(|known| *known == name);
        let key = at.and_then(|at| zips.get(at)).map(|zip| zip.key.as_str()).unwrap_or_default();
        format!("s3://{bucket}/{key}")
    };
    let template = replace_locations(template, location)?;
    Ok((zips, Upload::new("template", "yaml", template.into_bytes())))
}

/// The bucket of a deployment.
pub(crate) struct Bucket<'a> {
    pub(crate) s3: Client,
    pub(crate) name: &'a str,
    pub(crate) account: &'a Account,
}

impl Bucket<'_> {
    /// Uploads a file unless the bucket has it.
    pub(crate) async fn upload(&self, upload: &Upload) -> Result<()> {
        let (name, owner) = (self.name, &self.account.id);
        let head = self.s3.head_object().bucket(name).key(&upload.key).expected_bucket_owner(owner).send().await;
        if head.is_ok() {
            return Ok(());
        }
        let content = ByteStream::from(upload.content.clone());
        let put = self.s3.put_object().bucket(name).key(&upload.key).expected_bucket_owner(owner).body(content);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => bail!("cannot upload {} to the bucket {name}: {}", upload.key, describe(&error)),
        }
    }

    /// The URL of an uploaded file, which CloudFormation reads with its caller's permissions.
    pub(crate) async fn url(&self, key: &str) -> Result<String> {
        // Only the SDK knows the host names of all partitions; the signature is not needed.
        let signing = PresigningConfig::expires_in(std::time::Duration::from_secs(60))?;
        let signed = self.s3.get_object().bucket(self.name).key(key).presigned(signing).await;
        let signed = signed.context("cannot tell the URL of the template")?;
        Ok(signed.uri().split('?').next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_s3::config::Credentials;

    use super::*;

    #[test]
    fn key_follows_the_content() {
        let [first, same, other] = [b"a", b"a", b"b"].map(|content| Upload::new("sso", "zip", content.to_vec()));
        assert_eq!(first.key, same.key);
        assert_ne!(first.key, other.key);
        let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
        assert_eq!(first.key, format!("membermail/sso/{hash}.zip"));
    }

    #[test]
    fn template_names_the_uploaded_zips() {
        let folder = tempfile::tempdir().unwrap();
        for name in NAMES {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(zip_in(folder.path(), name), name).unwrap();
        }
        let source = std::fs::read_to_string(membermail_toolbox::workspace().join("template.yaml")).unwrap();
        let (zips, template) = prepare(folder.path(), &source, "code").unwrap();
        let template = String::from_utf8(template.content).unwrap();
        assert_eq!(zips.len(), NAMES.len());
        for (name, zip) in NAMES.iter().zip(&zips) {
            assert_eq!(zip.content, name.as_bytes());
            assert!(template.contains(&format!("CodeUri: \"s3://code/{}\"\n", zip.key)), "{name}");
        }
    }

    #[test]
    fn missing_zip_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let error = prepare(folder.path(), "", "code").unwrap_err().to_string();
        assert!(error.ends_with("sso/bootstrap.zip"), "{error}");
    }

    #[rstest::rstest]
    #[case::commercial("eu-west-1", "https://code.s3.eu-west-1.amazonaws.com/membermail/template/a.yaml")]
    #[case::china("cn-north-1", "https://code.s3.cn-north-1.amazonaws.com.cn/membermail/template/a.yaml")]
    #[tokio::test]
    async fn template_url_follows_the_partition(#[case] region: &'static str, #[case] expected: &str) {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::new(region));
        let config = config.credentials_provider(Credentials::new("test", "test", None, None, "test")).load().await;
        let account = Account { config, id: "123456789012".to_owned(), region: region.to_owned() };
        let bucket = Bucket { s3: account.s3(), name: "code", account: &account };
        assert_eq!(bucket.url("membermail/template/a.yaml").await.unwrap(), expected);
    }
}

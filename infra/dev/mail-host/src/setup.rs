//! Files of the test mail host: folders, certificate, password, signing key, settings.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::settings::MasterSecretSource;

use crate::keys::create_key;
use crate::options::{BOUNCE_USER, HOSTNAME, Options, RETURN_PATH_DOMAIN, SUBMISSION_USER};
use crate::system::{random_hex, sbin, user};

pub(crate) fn create_folders(folder: &Path) -> Result<()> {
    for name in ["etc/sasl", "spool", "data", "rspamd"] {
        fs::create_dir_all(folder.join(name))
            .with_context(|| format!("cannot create {}", folder.join(name).display()))?;
    }
    // Postfix and rspamd run as their own users.
    for (name, owner) in [("data", "postfix"), ("rspamd", "_rspamd")] {
        chown(folder.join(name), Some(user(owner)?.uid.as_raw()), None)?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A TLS certificate for STARTTLS.
pub(crate) struct Certificate {
    /// Key and certificate in one PEM file.
    pub(crate) file: PathBuf,
    /// The certificate alone, in PEM.
    pub(crate) pem: String,
}

/// Creates a self-signed certificate and its key.
pub(crate) fn create_certificate(folder: &Path) -> Result<Certificate> {
    let certified = rcgen::generate_simple_self_signed([HOSTNAME.to_owned(), "localhost".to_owned()])?;
    let file = folder.join("etc/tls.pem");
    let pem = certified.cert.pem();
    fs::write(&file, format!("{}{pem}", certified.signing_key.serialize_pem()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    Ok(Certificate { file, pem })
}

/// Sets a password for [`SUBMISSION_USER`] as docs/mail.md describes; returns the password file and the password.
pub(crate) fn set_password(folder: &Path) -> Result<(PathBuf, String)> {
    let file = folder.join("etc/sasl/sasldb2");
    let password = random_hex::<16>();
    let mut command = Command::new(sbin("saslpasswd2")?);
    command.args(["-p", "-c", "-u", HOSTNAME, "-f"]).arg(&file).arg(SUBMISSION_USER).stdin(Stdio::piped());
    let mut child = command.spawn().context("cannot start saslpasswd2")?;
    child.stdin.take().context("no pipe")?.write_all(password.as_bytes())?;
    ensure!(child.wait()?.success(), "saslpasswd2 failed");
    chown(&file, None, Some(user("postfix")?.gid.as_raw()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
    Ok((file, password))
}

/// Creates the key for DKIM and ARC; returns the key file and the DNS record.
pub(crate) fn create_signing_key(folder: &Path) -> Result<(PathBuf, String)> {
    let key = folder.join("rspamd/signing.key");
    let record = create_key(&key)?;
    chown(&key, Some(user("_rspamd")?.uid.as_raw()), None)?;
    Ok((key, record))
}

pub(crate) fn write_settings(options: &Options, endpoints: &[&Endpoint], metrics: u16) -> Result<()> {
    let Options { community, table, master_secret, settings, operators, .. } = options;
    let secret = match master_secret {
        MasterSecretSource::Arn(arn) => format!("master-secret-arn = {arn:?}"),
        MasterSecretSource::File(file) => format!("master-secret-file = {file:?}"),
    };
    let listen: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
    let text = format!(
        "community = {community:?}\ntable = {table:?}\n{secret}\n\
         listen = {listen:?}\nmetrics = \"127.0.0.1:{metrics}\"\n\
         operators = {operators:?}\nhost-name = {HOSTNAME:?}\nreturn-path-domain = {RETURN_PATH_DOMAIN:?}\n\
         {settings}\n"
    );
    fs::write(options.folder.join("etc/alias-map.toml"), text).context("cannot write the settings of alias-map")
}

/// Writes the settings of `membermail-bounce`, and the AWS configuration that they name.
pub(crate) fn write_bounce_settings(options: &Options, endpoint: &Endpoint, port: u16) -> Result<()> {
    let etc = options.folder.join("etc");
    let profile = etc.join("bounce.aws");
    let mut text = format!("host-name = {HOSTNAME:?}\nalias-map = \"{endpoint}\"\nsubmit = \"127.0.0.1:{port}\"\n");
    if let Some(queue) = &options.failure_queue {
        text += &format!("queue-url = {queue:?}\naws-profile = {profile:?}\n");
        let endpoint_url = &options.endpoint_url;
        let aws = format!(
            "[default]\nregion = us-east-1\nendpoint_url = {endpoint_url}\n\
             aws_access_key_id = test\naws_secret_access_key = test\n"
        );
        fs::write(&profile, aws)?;
        chown(&profile, Some(user(BOUNCE_USER)?.uid.as_raw()), None)?;
        fs::set_permissions(&profile, fs::Permissions::from_mode(0o600))?;
    }
    fs::write(etc.join("bounce.toml"), text).context("cannot write the settings of membermail-bounce")
}

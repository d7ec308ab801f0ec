//! TLS handshakes after STARTTLS, and the host's certificate.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls::{SupportedProtocolVersion, version};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::report::{Check, Finding};
use crate::failure::Failure;

/// A certificate that expires earlier is a warning. `certbot` renews 30 days before the end.
const REMAINING: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The supported versions and their names.
pub(super) const VERSIONS: [(&str, &SupportedProtocolVersion); 2] =
    [("TLS 1.2", &version::TLS12), ("TLS 1.3", &version::TLS13)];

/// Roots of trust, and the name that the certificate must have.
pub(super) struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    name: ServerName<'static>,
}

impl Trust {
    /// The certificates of a PEM file, or else those of the system.
    pub(super) fn new(host: &DomainName, ca: Option<&Path>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        match ca {
            Some(file) => {
                for certificate in CertificateDer::pem_file_iter(file).map_err(|_| unreadable(file))? {
                    let certificate = certificate.map_err(|_| unreadable(file))?;
                    roots.add(certificate).map_err(|_| unreadable(file))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = verifier
            .build()
            .map_err(|_| Failure::Usage("there are no root certificates: name a PEM file with --ca".to_owned()))?;
        let name = ServerName::try_from(host.as_str().to_owned()).map_err(Failure::other)?;
        Ok(Self { verifier, provider, name })
    }

    /// A handshake with this version only. Any certificate will do; [`certificate`](Self::certificate) decides on it.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        version: &'static SupportedProtocolVersion,
        limit: Duration,
    ) -> Result<TlsStream<TcpStream>, String> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let config = config.with_protocol_versions(&[version]).map_err(|error| error.to_string())?;
        let config =
            config.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(self.provider.clone())));
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        match timeout(limit, connector.connect(self.name.clone(), stream)).await {
            Ok(stream) => stream.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no end of the handshake within {} s", limit.as_secs())),
        }
    }

    /// Whether the chain is valid for the host now and for a while.
    pub(super) fn certificate(&self, subject: &str, chain: &[CertificateDer<'_>], now: Timestamp) -> Finding {
        let check = Check::Certificate;
        let Some((own, issuers)) = chain.split_first() else {
            return Finding::fail(check, subject, "there is none", "set tls-chain in mail-host.toml");
        };
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        if let Err(error) = self.verifier.verify_server_cert(own, issuers, &self.name, &[], time) {
            let (reason, next) = explain(&error);
            return Finding::fail(check, subject, reason, next);
        }
        match end_of(own) {
            None => Finding::warning(check, subject, "its end cannot be read", "check it with openssl x509"),
            Some(end) if end.duration_since(now) < REMAINING => {
                let reason = format!("it expires on {}", day(end));
                Finding::warning(check, subject, reason, "renew it, and check the automatic renewal")
            }
            Some(end) => Finding::pass(check, subject, format!("valid for the host until {}", day(end))),
        }
    }
}

fn unreadable(file: &Path) -> Failure {
    Failure::Usage(format!("--ca {}: this is no readable PEM file with certificates", file.display()))
}

/// The reason why a chain is rejected, and what to do.
fn explain(error: &rustls::Error) -> (String, &'static str) {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    let rustls::Error::InvalidCertificate(why) = error else {
        return (error.to_string(), "check tls-chain in mail-host.toml");
    };
    match why {
        Expired | ExpiredContext { .. } => ("it has expired".to_owned(), "renew it, and reload Postfix"),
        NotValidYet | NotValidYetContext { .. } => ("it is not valid yet".to_owned(), "check the clocks"),
        NotValidForName | NotValidForNameContext { .. } => {
            ("it is for another name".to_owned(), "get a certificate for the host's name")
        }
        UnknownIssuer => {
            let next = "add the intermediate certificates to tls-chain, or name your own CA with --ca";
            ("no trusted issuer".to_owned(), next)
        }
        other => (format!("it is invalid: {other:?}"), "get another certificate"),
    }
}

fn end_of(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
}

fn day(at: Timestamp) -> impl fmt::Display {
    at.strftime("%F")
}

/// Accepts any certificate whose key signs the handshake.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::super::report::Verdict;
    use super::*;

    const HOST: &str = "mx.forwards.example";

    #[rstest::rstest]
    #[case::valid(HOST, (2026, 10, 1), (2027, 1, 1), true, Verdict::Pass, "until 2027-01-01")]
    #[case::wildcard("*.forwards.example", (2026, 10, 1), (2027, 1, 1), true, Verdict::Pass, "until")]
    #[case::expires_soon(HOST, (2026, 10, 1), (2026, 12, 5), true, Verdict::Warning, "it expires on 2026-12-05")]
    #[case::expired(HOST, (2026, 10, 1), (2026, 11, 20), true, Verdict::Fail, "it has expired")]
    #[case::not_yet(HOST, (2026, 12, 1), (2027, 11, 20), true, Verdict::Fail, "it is not valid yet")]
    #[case::other_name("mail.other.example", (2026, 10, 1), (2027, 1, 1), true, Verdict::Fail, "another name")]
    #[case::other_issuer(HOST, (2026, 10, 1), (2027, 1, 1), false, Verdict::Fail, "no trusted issuer")]
    fn certificate_is_judged(
        #[case] name: &str,
        #[case] from: (i32, u8, u8),
        #[case] until: (i32, u8, u8),
        #[case] is_trusted: bool,
        #[case] verdict: Verdict,
        #[case] reason: &str,
    ) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let mut other = CertificateParams::new(["ca.example".to_owned()]).unwrap();
        other.distinguished_name.push(rcgen::DnType::CommonName, "another CA");
        let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, if is_trusted { certificate.pem() } else { other.pem() }).unwrap();
        let trust = Trust::new(&HOST.parse().unwrap(), Some(&ca)).unwrap();
        let now = "2026-11-28T20:00:00Z".parse().unwrap();
        let finding = trust.certificate("port 25", &[certificate.der().clone()], now);
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.reason.contains(reason), "{finding:?}");
    }

    #[rstest::rstest]
    #[case::missing(None)]
    #[case::empty(Some(""))]
    #[case::no_pem(Some("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))]
    fn unusable_ca_file_is_usage_error(#[case] text: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        if let Some(text) = text {
            fs::write(&ca, text).unwrap();
        }
        let failure = Trust::new(&HOST.parse().unwrap(), Some(&ca)).err().unwrap();
        assert_eq!(failure.kind(), "usage", "{failure}");
    }
}

//! Decides on the DKIM record of a domain (RFC 6376, 3.6.1, and RFC 8463).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use membermail_core::domain_proof::DnsAnswer;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

use super::report::{Check, Finding};

/// The minimum bits of an RSA key. RFC 8301 asks for 2048.
const RSA_BITS: usize = 2048;

/// The length of an Ed25519 key (RFC 8032).
const ED25519_OCTETS: usize = 32;

/// Why a record is not usable.
#[derive(Debug, thiserror::Error)]
enum BadRecord {
    #[error("p= is empty: the key is revoked")]
    Revoked,
    #[error("p= is missing or no Base64")]
    NoKey,
    #[error("the RSA key has {0} bits")]
    ShortKey(usize),
    #[error("the key cannot be parsed")]
    Unparsable,
    #[error("unknown version or key type")]
    Unknown,
    #[error("t=y: receivers ignore the signature")]
    Testing,
}

/// The finding on the TXT records at `name`.
pub(super) fn finding(name: &str, texts: &DnsAnswer<String>) -> Finding {
    let check = Check::Dkim;
    let texts = match texts {
        DnsAnswer::Records(texts) => texts,
        DnsAnswer::Missing => {
            let next = "publish the public key of signing.key; check selector in mail-host.toml";
            return Finding::fail(check, name, "no record", next);
        }
        DnsAnswer::Unanswered(_) => return Finding::warning(check, name, "DNS does not answer", "try again"),
    };
    let [record] = &texts[..] else {
        return Finding::fail(check, name, format!("{} records", texts.len()), "keep one TXT record at this name");
    };
    match parse(record) {
        Ok(key) => Finding::pass(check, name, key),
        Err(why @ BadRecord::Testing) => Finding::warning(check, name, why, "remove t=y"),
        Err(why) => Finding::fail(check, name, why, "publish the public key of signing.key"),
    }
}

/// The kind and length of the key.
fn parse(record: &str) -> Result<String, BadRecord> {
    let mut version = "DKIM1";
    let mut kind = "rsa";
    let mut flags = "";
    let mut key = None;
    for (name, value) in record.split(';').filter_map(|tag| tag.split_once('=')) {
        match name.trim() {
            "v" => version = value.trim(),
            "k" => kind = value.trim(),
            "t" => flags = value,
            "p" => key = Some(value.split_whitespace().collect::<String>()),
            _ => {}
        }
    }
    if version != "DKIM1" {
        return Err(BadRecord::Unknown);
    }
    let key = key.ok_or(BadRecord::NoKey)?;
    if key.is_empty() {
        return Err(BadRecord::Revoked);
    }
    let key = BASE64_STANDARD.decode(key).map_err(|_| BadRecord::NoKey)?;
    let description = match kind {
        "rsa" => rsa(&key)?,
        "ed25519" if key.len() == ED25519_OCTETS => "Ed25519 key".to_owned(),
        "ed25519" => return Err(BadRecord::Unparsable),
        _ => return Err(BadRecord::Unknown),
    };
    if flags.split(':').any(|flag| flag.trim() == "y") {
        return Err(BadRecord::Testing);
    }
    Ok(description)
}

fn rsa(der: &[u8]) -> Result<String, BadRecord> {
    let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| BadRecord::Unparsable)?;
    match info.parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() >= RSA_BITS => Ok(format!("RSA key of {} bits", key.key_size())),
        Ok(PublicKey::RSA(key)) => Err(BadRecord::ShortKey(key.key_size())),
        _ => Err(BadRecord::Unparsable),
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::domain_proof::Unanswered;

    use super::super::report::Verdict;
    use super::*;

    /// `openssl genrsa 1024 | openssl rsa -pubout`
    const SHORT: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDOv5ocLu7RAZRp/zs79cBhBsiqSCxSEAxO9afCW2wIdx0VQP4noVZth7yjOyUy\
        UE4MriwuVZWjJzJqNHPBygoZb4bPhB4No2zuZRFLeBZKbsH7K5nV7lROF7cb9bkYxxjuKMR+s/ZZgmnfMZWfRSQiF8ouilp1i6lS\
        RBIQXL4WIQIDAQAB";
    const LONG: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2UksbH8w60FGRzfmqHIWEH8Zf4vtw82bAG+EsF/SIwXLNQScivHGr+5c\
        EJL3xromBD/SZDZDFjTypMqFBLjgRbBxyULGLAZDjHwCtlVDPsA6ECd0W+33DdT3Am3GZYNnhXe93NnuG2zbpD9WAjt576JcHVpO\
        zM/KVD81CoKr7awEQyme5YgrTaSMCOPVNomoYly47V3sh1uoTbiNFEGceUOVbjiOhvuLMoI9TaClKym8Ib6vNNdjggNKroCwDdQ8\
        tZdE1rV89CuBZulT1D3DByH/zrwuBUBSMKtfcjHrZasqm4ksC3IrlUX7WHldA6wgzGzTAyw8/cOVITWR9G+5nQIDAQAB";
    /// RFC 8463, A.2.
    const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn records(texts: &[String]) -> DnsAnswer<String> {
        DnsAnswer::Records(texts.to_vec())
    }

    #[rstest::rstest]
    #[case::rsa(format!("v=DKIM1; k=rsa; p={LONG}"), Verdict::Pass, "RSA key of 2048 bits")]
    #[case::defaults(format!("p={LONG}"), Verdict::Pass, "RSA key of 2048 bits")]
    #[case::spaces(format!("v = DKIM1 ;k= rsa; p={} {};", &LONG[..64], &LONG[64..]), Verdict::Pass, "RSA key")]
    #[case::ed25519(format!("v=DKIM1; k=ed25519; p={ED25519}"), Verdict::Pass, "Ed25519 key")]
    #[case::other_flag(format!("v=DKIM1; t=s; p={LONG}"), Verdict::Pass, "RSA key")]
    #[case::testing(format!("v=DKIM1; t=s:y; p={LONG}"), Verdict::Warning, "t=y")]
    #[case::short(format!("v=DKIM1; p={SHORT}"), Verdict::Fail, "the RSA key has 1024 bits")]
    #[case::revoked("v=DKIM1; p=".to_owned(), Verdict::Fail, "revoked")]
    #[case::no_key("v=DKIM1; k=rsa".to_owned(), Verdict::Fail, "p= is missing")]
    #[case::no_base64("v=DKIM1; p=?".to_owned(), Verdict::Fail, "no Base64")]
    #[case::cut(format!("v=DKIM1; p={}", &LONG[..200]), Verdict::Fail, "cannot be parsed")]
    #[case::rsa_called_ed25519(format!("v=DKIM1; k=ed25519; p={LONG}"), Verdict::Fail, "cannot be parsed")]
    #[case::version(format!("v=DKIM2; p={LONG}"), Verdict::Fail, "unknown version")]
    #[case::other_record("v=spf1 -all".to_owned(), Verdict::Fail, "unknown version")]
    fn key_decides(#[case] record: String, #[case] verdict: Verdict, #[case] reason: &str) {
        let finding = finding("2026._domainkey.ubuntu.com", &records(&[record]));
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.reason.contains(reason), "{finding:?}");
    }

    #[rstest::rstest]
    #[case::missing(DnsAnswer::Missing, Verdict::Fail)]
    #[case::unanswered(DnsAnswer::Unanswered(Unanswered::TimedOut), Verdict::Warning)]
    #[case::two(records(&[format!("p={LONG}"), format!("p={LONG}")]), Verdict::Fail)]
    fn one_record_is_needed(#[case] answer: DnsAnswer<String>, #[case] verdict: Verdict) {
        assert_eq!(finding("2026._domainkey.ubuntu.com", &answer).verdict, verdict);
    }
}

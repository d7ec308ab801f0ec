//! A ClientHello that rustls cannot send: of TLS 1.0 or 1.1, or with anonymous ciphers only (RFC 4346 and RFC 5246, 7.4.1.2).
//! The host must refuse it.

use membermail_core::address::DomainName;

/// What a host must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub(super) enum Weakness {
    #[strum(to_string = "TLS 1.0")]
    Tls10,
    #[strum(to_string = "TLS 1.1")]
    Tls11,
    #[strum(to_string = "an anonymous cipher")]
    Anonymous,
}

/// The first octets of the host's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A ServerHello: the host goes on with the handshake.
    Accepted,
    /// An alert, or the end of the connection.
    Refused,
    /// Something else.
    Unclear,
}

/// ECDHE, DHE and RSA with AES and CBC, and 3DES: any host with TLS 1.0 or 1.1 has one of them.
const OLD_CIPHERS: [u16; 9] = [0xc00a, 0xc009, 0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a];
/// DH_anon and ECDH_anon, with AES.
const ANONYMOUS_CIPHERS: [u16; 9] = [0x00a7, 0x00a6, 0x006d, 0x006c, 0x003a, 0x0034, 0xc019, 0xc018, 0x001b];

impl Weakness {
    fn version(self) -> u16 {
        match self {
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Anonymous => 0x0303,
        }
    }

    /// The octets of one record with a ClientHello.
    pub(super) fn client_hello(self, host: &DomainName, random: [u8; 32]) -> Vec<u8> {
        let ciphers: &[u16] = if self == Self::Anonymous { &ANONYMOUS_CIPHERS } else { &OLD_CIPHERS };
        let mut hello = self.version().to_be_bytes().to_vec();
        hello.extend(random);
        // No session.
        hello.push(0);
        hello.extend(list(&numbers(ciphers)));
        // One compression method: none.
        hello.extend([1, 0]);
        hello.extend(list(&extensions(host)));
        let length = hello.len().to_be_bytes();
        let mut message = vec![1];
        message.extend(&length[length.len() - 3..]);
        message.extend(hello);
        // A handshake record; its own version is 1.0 at first (RFC 5246, E.1).
        let mut record = vec![22, 3, 1];
        record.extend(list(&message));
        record
    }
}

/// server_name, supported_groups (X25519, P-256, P-384), ec_point_formats, and signature_algorithms, with SHA-1 too.
fn extensions(host: &DomainName) -> Vec<u8> {
    let mut name = vec![0];
    name.extend(list(host.as_str().as_bytes()));
    let groups = numbers(&[0x001d, 0x0017, 0x0018]);
    let signatures = numbers(&[0x0403, 0x0503, 0x0804, 0x0401, 0x0501, 0x0203, 0x0201]);
    let mut octets = Vec::new();
    for (kind, data) in [(0, list(&name)), (10, list(&groups)), (11, vec![1, 0]), (13, list(&signatures))] {
        octets.extend(u16::to_be_bytes(kind));
        octets.extend(list(&data));
    }
    octets
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The octets behind their length in two octets. None of the lists above is as long as 64 KiB.
fn list(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), octets].concat()
}

impl Answer {
    /// Reads the beginning of a record: type, version, length and the type of the handshake message.
    pub(super) fn of(octets: &[u8]) -> Self {
        match octets {
            [] | [21, ..] => Self::Refused,
            [22, 3, _, _, _, 2, ..] => Self::Accepted,
            _ => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::nothing(&[], Answer::Refused)]
    #[case::alert(&[21, 3, 1, 0, 2, 2, 70], Answer::Refused)]
    #[case::server_hello(&[22, 3, 1, 0, 90, 2, 0, 0, 86], Answer::Accepted)]
    #[case::certificate(&[22, 3, 1, 0, 90, 11, 0, 0, 86], Answer::Unclear)]
    #[case::smtp(b"220 mx ESMTP", Answer::Unclear)]
    #[case::half(&[22, 3], Answer::Unclear)]
    fn answer_begins_with_record_type(#[case] octets: &[u8], #[case] expected: Answer) {
        assert_eq!(Answer::of(octets), expected);
    }

    #[rstest::rstest]
    #[case(Weakness::Tls10, 1)]
    #[case(Weakness::Tls11, 2)]
    #[case(Weakness::Anonymous, 3)]
    fn hello_has_version_and_lengths(#[case] weakness: Weakness, #[case] version: u8) {
        let octets = weakness.client_hello(&"mx.forwards.example".parse().unwrap(), [7; 32]);
        assert_eq!(usize::from(u16::from_be_bytes([octets[3], octets[4]])), octets.len() - 5);
        assert_eq!(usize::from(u16::from_be_bytes([octets[7], octets[8]])), octets.len() - 9);
        assert_eq!(octets[9..12], [3, version, 7]);
    }
}

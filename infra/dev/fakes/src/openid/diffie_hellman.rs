//! Diffie-Hellman key exchange for associations (section 8.2.3).

use membermail_core::random::{self, Random};
use num_bigint::BigUint;

use super::mac::Mac;

/// The default prime (appendix B).
const MODULUS: &str = "dcf93a0b883972ec0e19989ac5a2ce310e1d37717e8d9571bb7623731866e61ef75a2e27898b057f9891c2e27a639c3f\
                       29b60814581cd3b2ca3986d2683705577d45c2e7e52dc81c7a171876e5cea74b1448bfdfaf18828efd2519f14e45e382\
                       6634af1949e5b535cc829a483b8a76223e5d490a257f05bdff16f2fb22c583ab";
const GENERATOR: u32 = 2;
/// Maximum bytes of a modulus, to limit the work of a request.
const MAX_MODULUS_BYTES: usize = 512;
/// Maximum private keys to try, until the shared secret has the length of the modulus.
const MAX_ATTEMPTS: usize = 64;

/// The parameters of the relying party, as bytes. Absent ones have their defaults.
pub(super) struct Request {
    pub(super) modulus: Option<Vec<u8>>,
    pub(super) generator: Option<Vec<u8>>,
    pub(super) consumer_public: Vec<u8>,
}

/// The result of a key exchange.
pub(super) struct Exchanged {
    pub(super) server_public: Vec<u8>,
    /// The key of the association, encrypted with the shared secret.
    pub(super) encrypted_key: Vec<u8>,
}

/// Encrypts a key with the shared secret (8.2.3); `None` if a parameter is invalid.
pub(super) fn exchange(request: &Request, mac: Mac, key: &[u8], random: &dyn Random) -> Option<Exchanged> {
    let Request { modulus, generator, consumer_public } = request;
    let modulus = modulus.as_deref().map_or_else(|| BigUint::parse_bytes(MODULUS.as_bytes(), 16), parse)?;
    let generator = generator.as_deref().map_or_else(|| Some(GENERATOR.into()), parse)?;
    let consumer_public = parse(consumer_public)?;
    let one = BigUint::from(1_u32);
    let is_valid = |value: &BigUint| *value > one && *value < &modulus - &one;
    if modulus <= BigUint::from(3_u32) || !is_valid(&generator) || !is_valid(&consumer_public) {
        return None;
    }
    let modulus_bytes = modulus.to_bytes_be().len();
    let mut pairs = (0..MAX_ATTEMPTS).map(|_| {
        let private = BigUint::from_bytes_be(&random::bytes::<64>(random));
        (generator.modpow(&private, &modulus), consumer_public.modpow(&private, &modulus))
    });
    // Some relying parties pad the shared secret with zeros to the length of the modulus, which changes its hash. A
    // secret of that length needs no padding.
    let (server_public, shared) = pairs.find(|(_, shared)| shared.to_bytes_be().len() == modulus_bytes)?;
    let mask = mac.hash(&btwoc(&shared));
    let encrypted_key = mask.iter().zip(key).map(|(mask, byte)| mask ^ byte).collect();
    Some(Exchanged { server_public: btwoc(&server_public), encrypted_key })
}

fn parse(bytes: &[u8]) -> Option<BigUint> {
    // A positive number has no sign bit (4.2), which may require a leading zero byte.
    let is_positive = bytes.first().is_some_and(|first| first & 0x80 == 0);
    (is_positive && bytes.len() <= MAX_MODULUS_BYTES + 1).then(|| BigUint::from_bytes_be(bytes))
}

/// The shortest big-endian two's complement (4.2).
fn btwoc(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[rstest::rstest]
    #[case(0, &[0])]
    #[case(127, &[0x7F])]
    #[case(128, &[0, 0x80])]
    #[case(255, &[0, 0xFF])]
    #[case(32_768, &[0, 0x80, 0])]
    fn btwoc_round_trips(#[case] value: u32, #[case] bytes: &[u8]) {
        assert_eq!(btwoc(&BigUint::from(value)), bytes);
        assert_eq!(parse(bytes), Some(BigUint::from(value)));
    }

    #[rstest::rstest]
    #[case(Mac::Sha1)]
    #[case(Mac::Sha256)]
    fn relying_party_decrypts_the_key(#[case] mac: Mac) {
        let modulus = BigUint::parse_bytes(MODULUS.as_bytes(), 16).unwrap();
        let private = BigUint::from(0x1234_5678_9ABC_DEF0_u64);
        let public = BigUint::from(GENERATOR).modpow(&private, &modulus);
        let request = Request { modulus: None, generator: None, consumer_public: btwoc(&public) };
        let key: Vec<u8> = (0..mac.length()).map(|byte| u8::try_from(byte).unwrap()).collect();
        let Exchanged { server_public, encrypted_key } =
            exchange(&request, mac, &key, &CountingRandom::default()).unwrap();
        let shared = BigUint::from_bytes_be(&server_public).modpow(&private, &modulus);
        let found: Vec<_> =
            mac.hash(&btwoc(&shared)).iter().zip(&encrypted_key).map(|(mask, byte)| mask ^ byte).collect();
        assert_eq!(found, key);
        assert_ne!(encrypted_key, key);
    }

    #[rstest::rstest]
    #[case("public of one", None, vec![1])]
    #[case("public of zero", None, vec![0])]
    #[case("empty", None, vec![])]
    #[case("negative", None, vec![0x80])]
    #[case("modulus of zero", Some(vec![0]), vec![5])]
    #[case("modulus that is too long", Some(vec![0x7F; 600]), vec![5])]
    #[case("public beyond the modulus", Some(vec![23]), vec![40])]
    fn exchange_rejects_invalid_parameters(
        #[case] _what: &str,
        #[case] modulus: Option<Vec<u8>>,
        #[case] consumer_public: Vec<u8>,
    ) {
        let request = Request { modulus, generator: None, consumer_public };
        assert!(exchange(&request, Mac::Sha256, &[0; 32], &CountingRandom::default()).is_none());
    }
}

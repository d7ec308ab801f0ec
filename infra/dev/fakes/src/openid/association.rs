//! Associations (section 8): keys shared with a relying party, and private keys of the provider for assertions that the
//! relying party verifies with `check_authentication` (11.4.2).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};

use super::diffie_hellman::{self, exchange};
use super::mac::Mac;
use super::message::{Fields, NS, Request};

/// launchpad.md, 9: `expires_in` 1209600.
const SHARED_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Lifetime of a private key, in which its assertion can be verified. Guess: the time.
const PRIVATE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// All keys that have not expired.
#[derive(Default)]
pub struct Associations {
    /// The last number of a nonce.
    last_number: u64,
    shared: BTreeMap<String, Association>,
    private: BTreeMap<String, Association>,
}

/// A key and its algorithm.
#[derive(Clone)]
pub(crate) struct Association {
    pub(crate) mac: Mac,
    pub(crate) key: Vec<u8>,
    expires: Timestamp,
}

/// The reason why an association is refused (8.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The pair of association type and session type is not supported.
    UnsupportedType,
    /// The parameters of the key exchange are missing or invalid.
    InvalidKeyExchange,
}

impl Associations {
    /// Establishes an association (8.1).
    pub(crate) fn associate(
        &mut self,
        request: &Request,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Fields, Refusal> {
        let mac =
            request.get("assoc_type").and_then(|name| name.parse::<Mac>().ok()).ok_or(Refusal::UnsupportedType)?;
        let session_type = request.get("session_type").unwrap_or_default();
        let (handle, association) = Self::generate(mac, now, SHARED_LIFETIME, random);
        let mut fields = vec![
            ("ns", NS.to_owned()),
            ("assoc_handle", handle.clone()),
            ("session_type", session_type.to_owned()),
            ("assoc_type", mac.association_type().to_owned()),
            ("expires_in", SHARED_LIFETIME.as_secs().to_string()),
        ];
        if session_type == "no-encryption" {
            // launchpad.md, 9: over TLS. The fake is reachable on loopback only, and does not need it.
            fields.push(("mac_key", STANDARD.encode(&association.key)));
        } else if session_type == mac.session_type() {
            let numbers = ["dh_modulus", "dh_gen", "dh_consumer_public"];
            let numbers = numbers.map(|name| request.get(name).map(|text| STANDARD.decode(text)).transpose());
            let [Ok(modulus), Ok(generator), Ok(Some(consumer_public))] = numbers else {
                return Err(Refusal::InvalidKeyExchange);
            };
            let numbers = diffie_hellman::Request { modulus, generator, consumer_public };
            let exchanged = exchange(&numbers, mac, &association.key, random).ok_or(Refusal::InvalidKeyExchange)?;
            fields.push(("dh_server_public", STANDARD.encode(exchanged.server_public)));
            fields.push(("enc_mac_key", STANDARD.encode(exchanged.encrypted_key)));
        } else {
            return Err(Refusal::UnsupportedType);
        }
        self.shared.retain(|_, association| association.expires > now);
        self.shared.insert(handle, association);
        Ok(fields)
    }

    /// Issues a private key for one assertion.
    pub(crate) fn issue_private(&mut self, now: Timestamp, random: &dyn Random) -> (String, Association) {
        self.private.retain(|_, association| association.expires > now);
        let (handle, association) = Self::generate(Mac::Sha256, now, PRIVATE_LIFETIME, random);
        self.private.insert(handle.clone(), association.clone());
        (handle, association)
    }

    /// The shared key with this handle.
    pub(crate) fn shared(&self, handle: &str, now: Timestamp) -> Option<&Association> {
        self.shared.get(handle).filter(|association| association.expires > now)
    }

    /// Verifies an assertion for the relying party (`check_authentication`, 11.4.2); `None` if the request is
    /// malformed.
    ///
    /// Assertions with a shared handle are invalid, since the relying party could have signed them. launchpad.md, 9: a
    /// private handle is valid once; with `is_single_use` it is deleted, also after an invalid signature
    /// (python3-openid 3.2, `openid/server/server.py`, `CheckAuthRequest.answer`).
    pub(crate) fn check_authentication(
        &mut self,
        request: &Request,
        is_single_use: bool,
        now: Timestamp,
    ) -> Option<Fields> {
        let [Some(handle), Some(signed), Some(signature)] =
            ["assoc_handle", "signed", "sig"].map(|name| request.get(name))
        else {
            return None;
        };
        let association = self.private.get(handle).filter(|association| association.expires > now);
        let is_valid = association.is_some_and(|association| {
            let lines = signed.split(',').map(|name| {
                let value = if name == "mode" { "id_res" } else { request.get(name)? };
                Some(format!("{name}:{value}\n"))
            });
            lines
                .collect::<Option<String>>()
                .is_some_and(|text| association.mac.sign(&association.key, &text) == signature)
        });
        if is_single_use {
            self.private.remove(handle);
        }
        let mut fields = vec![("ns", NS.to_owned()), ("is_valid", is_valid.to_string())];
        let invalidated = request.get("invalidate_handle").filter(|handle| self.shared(handle, now).is_none());
        if let Some(handle) = invalidated {
            fields.push(("invalidate_handle", handle.to_owned()));
        }
        Some(fields)
    }

    /// Generates a key and its handle.
    fn generate(mac: Mac, now: Timestamp, lifetime: SignedDuration, random: &dyn Random) -> (String, Association) {
        let mut key = vec![0; mac.length()];
        random.fill(&mut key);
        // launchpad.md, 9: handles look like `{HMAC-SHA256}{5855f159}{F2z7DQ==}`: type, hexadecimal time, random.
        let suffix = STANDARD.encode(random::bytes::<4>(random));
        (
            format!("{{{}}}{{{:x}}}{{{suffix}}}", mac.association_type(), now.as_second()),
            Association { mac, key, expires: now + lifetime },
        )
    }

    /// An unused number, so that two assertions of the same second have different nonces.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

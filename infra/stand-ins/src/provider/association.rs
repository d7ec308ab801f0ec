//! Associations (section 8): keys that are shared with a relying party, and private ones beside them that the provider
//! alone has, for relying parties that ask it about each assertion (11.4.2).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};

use super::diffie_hellman::{self, exchange};
use super::mac::Mac;
use super::message::{Fields, NS, Request};

/// launchpad.md, 9: `expires_in` 1209600.
const SHARED: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long an assertion waits to be asked about. Guess: the time.
const PRIVATE: SignedDuration = SignedDuration::from_mins(10);

/// All keys that are still good.
#[derive(Default)]
pub struct Associations {
    issued: u64,
    shared: BTreeMap<String, Association>,
    private: BTreeMap<String, Association>,
}

/// A key and what it signs with.
#[derive(Clone)]
pub(crate) struct Association {
    pub(crate) mac: Mac,
    pub(crate) key: Vec<u8>,
    expires: Timestamp,
}

/// A request for an association that is refused (8.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another pair of types might do.
    UnsupportedType,
    /// The numbers of the key exchange make none.
    Exchange,
}

impl Associations {
    /// Answers a request for an association.
    pub(crate) fn associate(
        &mut self,
        request: &Request,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Fields, Refusal> {
        let mac = request.get("assoc_type").and_then(Mac::of).ok_or(Refusal::UnsupportedType)?;
        let session_type = request.get("session_type").unwrap_or_default();
        let (handle, association) = Self::make(mac, now, SHARED, random);
        let mut fields = vec![
            ("ns", NS.to_owned()),
            ("assoc_handle", handle.clone()),
            ("session_type", session_type.to_owned()),
            ("assoc_type", mac.association_type().to_owned()),
            ("expires_in", SHARED.as_secs().to_string()),
        ];
        if session_type == "no-encryption" {
            // launchpad.md, 9: over TLS. The fake speaks on loopback, where it has nothing to hide.
            fields.push(("mac_key", STANDARD.encode(&association.key)));
        } else if session_type == mac.session_type() {
            let octets = |name| request.get(name).map(|text| STANDARD.decode(text)).transpose();
            let (Ok(modulus), Ok(generator), Ok(Some(consumer_public))) =
                (octets("dh_modulus"), octets("dh_gen"), octets("dh_consumer_public"))
            else {
                return Err(Refusal::Exchange);
            };
            let numbers = diffie_hellman::Request { modulus, generator, consumer_public };
            let exchanged = exchange(&numbers, mac, &association.key, random).ok_or(Refusal::Exchange)?;
            fields.push(("dh_server_public", STANDARD.encode(exchanged.server_public)));
            fields.push(("enc_mac_key", STANDARD.encode(exchanged.hidden_key)));
        } else {
            return Err(Refusal::UnsupportedType);
        }
        self.shared.retain(|_, association| association.expires > now);
        self.shared.insert(handle, association);
        Ok(fields)
    }

    /// A key for one assertion, which no relying party has.
    pub(crate) fn private(&mut self, now: Timestamp, random: &dyn Random) -> (String, Association) {
        self.private.retain(|_, association| association.expires > now);
        let (handle, association) = Self::make(Mac::Sha256, now, PRIVATE, random);
        self.private.insert(handle.clone(), association.clone());
        (handle, association)
    }

    /// The key that is shared under this handle.
    pub(crate) fn shared(&self, handle: &str, now: Timestamp) -> Option<&Association> {
        self.shared.get(handle).filter(|association| association.expires > now)
    }

    /// Answers the relying party's question whether an assertion is ours (11.4.2); nothing if the request is broken.
    ///
    /// A shared handle answers nothing (its holder could have signed it), a private one `once`, or else as often as it
    /// is asked. launchpad.md, 9: valid once, the handle is gone with it. It is gone after a false answer too
    /// (python3-openid 3.2, `openid/server/server.py`, `CheckAuthRequest.answer`).
    pub(crate) fn check(&mut self, request: &Request, once: bool, now: Timestamp) -> Option<Fields> {
        let [Some(handle), Some(signed), Some(signature)] =
            ["assoc_handle", "signed", "sig"].map(|name| request.get(name))
        else {
            return None;
        };
        let association = self.private.get(handle).filter(|association| association.expires > now);
        let is_valid = association.is_some_and(|association| {
            let names = signed.split(',');
            let value = |name| if name == "mode" { Some("id_res") } else { request.get(name) };
            let lines: Option<String> = names.map(|name| Some(format!("{name}:{}\n", value(name)?))).collect();
            lines.is_some_and(|text| association.mac.sign(&association.key, &text) == signature)
        });
        if once {
            self.private.remove(handle);
        }
        let mut fields = vec![("ns", NS.to_owned()), ("is_valid", is_valid.to_string())];
        let doubted = request.get("invalidate_handle").filter(|handle| self.shared(handle, now).is_none());
        if let Some(handle) = doubted {
            fields.push(("invalidate_handle", handle.to_owned()));
        }
        Some(fields)
    }

    fn make(mac: Mac, now: Timestamp, lasting: SignedDuration, random: &dyn Random) -> (String, Association) {
        let mut key = vec![0; mac.length()];
        random.fill(&mut key);
        // launchpad.md, 9: handles look like `{HMAC-SHA256}{5855f159}{F2z7DQ==}`: type, time in hexadecimal, lot.
        let lot = STANDARD.encode(random::bytes::<4>(random));
        (
            format!("{{{}}}{{{:x}}}{{{lot}}}", mac.association_type(), now.as_second()),
            Association { mac, key, expires: now + lasting },
        )
    }

    /// A number that was not used before: two assertions of the same second must not have the same nonce.
    pub(crate) fn number(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }
}

//! Codes for mails, derived from the master secret: neither the table nor a message contains them.

use hkdf::Hkdf;
use membermail_core::code::Code;
use membermail_core::destination::{DestinationId, Pending};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::sealing::{SealError, Sealer};

/// What a code proves.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// Access to the mailbox of a new destination.
    Mailbox {
        /// The member, whose session the code is bound to.
        member: MemberId,
        /// The destination.
        destination: DestinationId,
        /// The request. Its session epoch is part of the code.
        pending: &'a Pending,
        /// The address that the code is sent to.
        address: &'a EmailAddress,
    },
    /// Access to the mailbox of an old destination.
    Undo {
        /// The member.
        member: MemberId,
        /// The change to revert.
        undo: Ulid,
    },
}

impl Proof<'_> {
    /// The `info` of HKDF-Expand (RFC 5869, 2.3).
    fn info(self) -> Vec<u8> {
        match self {
            Self::Mailbox { member, destination, pending, address } => {
                let Pending { id, epoch, .. } = pending;
                let address = Sha256::digest(address.expose().as_bytes());
                let mut info = format!("membermail/1/code/{member}/{destination}/{id}/{epoch}/").into_bytes();
                info.extend(address);
                info
            }
            Self::Undo { member, undo } => format!("membermail/1/undo/{member}/{undo}").into_bytes(),
        }
    }
}

impl Sealer {
    /// The code to put into a mail, made with the current master secret.
    pub fn code(&self, proof: Proof<'_>) -> Result<Code, SealError> {
        derive(&self.current, proof)
    }

    /// Whether a typed code is the one of this proof. During a key rotation, the mail can have the code of either secret.
    pub fn is_code(&self, typed: &Code, proof: Proof<'_>) -> Result<bool, SealError> {
        let mut is_valid = false;
        for master in std::iter::once(&self.current).chain(&self.previous) {
            is_valid |= derive(master, proof)?.is_same_as(typed);
        }
        Ok(is_valid)
    }

    /// A keyed tag of an address, to count mails to it: a plain hash of an address could be guessed.
    pub fn address_tag(&self, address: &EmailAddress) -> Result<String, SealError> {
        let mut info = b"membermail/1/target/".to_vec();
        info.extend(Sha256::digest(address.expose().to_ascii_lowercase().as_bytes()));
        let mut tag = [0; 16];
        self.current.expand(&info, &mut tag).map_err(|_| SealError)?;
        Ok(tag.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// HKDF-Expand is HMAC-SHA256 over the `info` here, since one block is enough.
fn derive(master: &Hkdf<Sha256>, proof: Proof<'_>) -> Result<Code, SealError> {
    let mut hash = [0; 32];
    master.expand(&proof.info(), &mut hash).map_err(|_| SealError)?;
    Ok(Code::from_hash(&hash))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use membermail_core::master::MasterKeys;
    use membermail_core::random::CountingRandom;
    use zeroize::Zeroizing;

    use super::*;

    fn pending(id: u64, epoch: u64) -> Pending {
        Pending {
            id: Ulid::from_parts(id, 0),
            requested_at: Timestamp::UNIX_EPOCH,
            attempts: 0,
            epoch,
            replaces: false,
        }
    }

    #[test]
    fn code_is_bound_to_everything() {
        let random = CountingRandom::default();
        let now = Timestamp::UNIX_EPOCH;
        let [one, other] = [(); 2].map(|()| MemberId::new(now, &random));
        let [first, second] = [(); 2].map(|()| DestinationId::new(now, &random));
        let addresses = ["a@mail.example", "b@mail.example"].map(|text| EmailAddress::parse(text).unwrap());
        let pending = [pending(1, 0), pending(2, 0), pending(1, 1)];
        let sealer = Sealer::new(b"master");
        let mut codes = std::collections::BTreeSet::new();
        for member in [one, other] {
            for destination in [first, second] {
                for pending in &pending {
                    for address in &addresses {
                        let proof = Proof::Mailbox { member, destination, pending, address };
                        let code = sealer.code(proof).unwrap();
                        assert!(sealer.is_code(&code, proof).unwrap());
                        codes.insert(code.expose());
                    }
                }
            }
            codes.insert(sealer.code(Proof::Undo { member, undo: Ulid::nil() }).unwrap().expose());
        }
        assert_eq!(codes.len(), 2 * (2 * 3 * 2 + 1));
    }

    #[test]
    fn code_survives_a_key_rotation() {
        let proof =
            Proof::Undo { member: MemberId::new(Timestamp::UNIX_EPOCH, &CountingRandom::default()), undo: Ulid::nil() };
        let old = Sealer::new(b"old").code(proof).unwrap();
        let secret = |text: &[u8]| Zeroizing::new(text.to_vec());
        let both = Sealer::of(&MasterKeys::new(secret(b"new"), Some(secret(b"old"))));
        assert!(both.is_code(&old, proof).unwrap());
        assert!(both.is_code(&Sealer::new(b"new").code(proof).unwrap(), proof).unwrap());
        assert!(!Sealer::new(b"new").is_code(&old, proof).unwrap());
    }
}

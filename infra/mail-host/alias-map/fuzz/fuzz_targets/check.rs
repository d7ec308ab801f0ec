//! Invariants for arbitrary input, shared by the fuzz target and the test that replays its seeds.

use membermail_core::address::{Address, DomainName};
use membermail_core::dot_atom::is_dot_atom;

use crate::netstring::{self, MAX_LENGTH, Parsed};
use crate::protocol::Request;
use crate::recipient::Recipient;

/// Parses the input as a stream of requests, whole and in fragments of the length that its first byte gives.
pub(crate) fn socketmap(input: &[u8]) {
    let Some((length, stream)) = input.split_first() else { return };
    let whole = read_all(stream, usize::MAX);
    let fragmented = read_all(stream, usize::from(*length).max(1));
    assert_eq!(whole, fragmented);

    let community = ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap());
    for data in &whole.0 {
        let mut written = Vec::new();
        netstring::write(data, &mut written);
        assert_eq!(netstring::parse(&written), Ok(Parsed::Complete { data, consumed: written.len() }));
        let Ok(request) = Request::parse(data) else { continue };
        let key = request.key.unwrap_or_default();
        let Some(recipient) = Recipient::parse(key, &community) else { continue };
        // Postfix looks up any other local part in two forms.
        assert!(key.rsplit_once('@').is_some_and(|(local, _)| is_dot_atom(local)));
        if let Recipient::Member { alias, .. } = recipient {
            // The alias must be valid, because the table is queried for it.
            assert!(Address::try_from(alias.to_string()).is_ok());
        }
    }
}

/// Reads like the server, which buffers incomplete requests. Returns the requests and whether there was a protocol error.
fn read_all(stream: &[u8], length: usize) -> (Vec<Vec<u8>>, bool) {
    let mut found = Vec::new();
    let mut held = Vec::new();
    for fragment in stream.chunks(length.min(stream.len().max(1))) {
        held.extend_from_slice(fragment);
        loop {
            match netstring::parse(&held) {
                Ok(Parsed::Complete { data, consumed }) => {
                    assert!(data.len() <= MAX_LENGTH);
                    found.push(data.to_vec());
                    held.drain(..consumed);
                }
                Ok(Parsed::Incomplete) => break,
                Err(_) => return (found, true),
            }
        }
        assert!(held.len() <= MAX_LENGTH + 8 + fragment.len());
    }
    (found, false)
}

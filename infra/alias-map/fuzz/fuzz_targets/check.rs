//! What must hold of any octets of a peer: for the fuzz target, and for the test that replays its seeds.

use membermail_core::address::{Address, DomainName};

use crate::netstring::{self, LARGEST, Read};
use crate::protocol::Request;
use crate::recipient::Recipient;

/// Octets of a peer, cut where the first octet says, through everything that looks at them before the table is asked.
pub(crate) fn socketmap(input: &[u8]) {
    let Some((cut, stream)) = input.split_first() else { return };
    // In one piece, and in pieces: what is read must be the same.
    let whole = read_all(stream, usize::MAX);
    let pieces = read_all(stream, usize::from(*cut).max(1));
    assert_eq!(whole, pieces);

    let community = ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap());
    for data in &whole.0 {
        let mut written = Vec::new();
        netstring::write(data, &mut written);
        assert_eq!(netstring::read(&written), Ok(Read::Complete { data, taken: written.len() }));
        let Ok(request) = Request::parse(data) else { continue };
        if let Some(Recipient::Member { alias, .. }) = Recipient::parse(request.key.unwrap_or_default(), &community) {
            // An address that the table can be asked for is one that we could have given.
            assert!(Address::try_from(alias.to_string()).is_ok());
        }
    }
}

/// Reads like the server: what has arrived is held until a question is whole. The questions, and whether there was a fault.
fn read_all(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut found, mut held) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece.min(stream.len().max(1))) {
        held.extend_from_slice(piece);
        loop {
            match netstring::read(&held) {
                Ok(Read::Complete { data, taken }) => {
                    assert!(data.len() <= LARGEST);
                    found.push(data.to_vec());
                    held.drain(..taken);
                }
                Ok(Read::Incomplete) => break,
                Err(_) => return (found, true),
            }
        }
        assert!(held.len() <= LARGEST + 8 + piece.len());
    }
    (found, false)
}

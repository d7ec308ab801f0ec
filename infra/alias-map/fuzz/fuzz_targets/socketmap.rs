//! Octets of a peer, cut where the first octet says, through everything that looks at them before the table is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use membermail_core::address::DomainName;
use netstring::{LARGEST, Read};
use recipient::Recipient;

// The files themselves, and not the crate around them: it would bring the AWS SDK into every build of the fuzzer.
#[allow(dead_code)]
#[path = "../../src/netstring.rs"]
mod netstring;
#[allow(dead_code)]
#[path = "../../src/protocol.rs"]
mod protocol;
#[allow(dead_code)]
#[path = "../../src/recipient.rs"]
mod recipient;

fuzz_target!(|input: &[u8]| {
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
        let Ok(request) = protocol::Request::parse(data) else { continue };
        if let Some(Recipient::Member(candidates)) = Recipient::parse(request.key.unwrap_or_default(), &community) {
            assert!((1..=3).contains(&candidates.len()));
            for one in candidates {
                // An address that the table can be asked for is one that we could have given.
                assert!(membermail_core::address::Address::try_from(one.address.to_string()).is_ok());
            }
        }
    }
});

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

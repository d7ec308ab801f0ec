//! The server itself, over a pipe: whatever octets come, and however they are cut, it answers or closes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::sync::Arc;
use std::time::Duration;

use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::netstring::{self, Read};
use membermail_alias_map::server::serve;
use membermail_alias_map::settings::Patience;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

#[expect(dead_code, reason = "each test file takes its part")]
mod support;

use support::Memory;

fn lookups() -> Lookups {
    let memory = Memory::default();
    memory.put("alice@ubuntu.com", "alice@mail.example");
    support::lookups(Arc::new(memory), Patience::default())
}

/// What a peer that sends these octets must hear: a reply to each question, and of a fault, if there is one, last.
async fn expected(lookups: &Lookups, mut octets: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match netstring::read(octets) {
            Ok(Read::Complete { data, taken }) => {
                netstring::write(lookups.reply(data).await.to_data().as_bytes(), &mut all);
                octets = &octets[taken..];
            }
            Ok(Read::Incomplete) => return all,
            Err(fault) => {
                netstring::write(format!("PERM {fault}").as_bytes(), &mut all);
                return all;
            }
        }
    }
}

/// Sends the pieces one after the other, and hears all until the server closes.
async fn heard(lookups: Arc<Lookups>, pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (peer, server) = tokio::io::duplex(64);
    let serving = tokio::spawn(async move { serve(server, &lookups, &CancellationToken::new()).await });
    let (mut from, mut to) = tokio::io::split(peer);
    let mut heard = Vec::new();
    let send = async {
        for piece in pieces {
            // Where it closed after a fault, nobody takes the rest.
            if to.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        let _ = to.shutdown().await;
    };
    let both = async { tokio::join!(send, from.read_to_end(&mut heard)) };
    timeout(Duration::from_secs(5), both).await.ok()?.1.unwrap();
    timeout(Duration::from_secs(5), serving).await.ok()?.unwrap();
    Some(heard)
}

/// Questions, whole and broken, and what is none.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let question = prop_oneof![
        Just("alias alice@ubuntu.com".to_owned()),
        "(alias|reject|domain|other) [a-zA-Z+@.\"é]{0,30}",
        "alias [a-c+]{1,200}@ubuntu.com",
        Just(String::new()),
    ];
    let whole = question.prop_map(|data| {
        let mut octets = Vec::new();
        netstring::write(data.as_bytes(), &mut octets);
        octets
    });
    prop_oneof![
        8 => whole,
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop_oneof![Just("-1:"), Just("10001:"), Just("9999:alias a"), Just("03:a,"), Just("5:alias,")]
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn it_answers_or_closes(parts in prop::collection::vec(part(), 0..8), cuts in prop::collection::vec(any::<Index>(), 0..10)) {
        let octets = parts.concat();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).chain([0, octets.len()]).collect();
        places.sort_unstable();
        let pieces: Vec<_> = places.windows(2).map(|ends| &octets[ends[0]..ends[1]]).collect();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (expected, heard) = runtime.block_on(async {
            let lookups = Arc::new(lookups());
            (expected(&lookups, &octets).await, heard(Arc::clone(&lookups), &pieces).await)
        });
        prop_assert_eq!(heard.map(|all| String::from_utf8(all).unwrap()), Some(String::from_utf8(expected).unwrap()));
    }
}

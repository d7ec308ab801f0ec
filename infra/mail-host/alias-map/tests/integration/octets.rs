//! Property test of the connection handler: for any input in any fragments, it replies or closes.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::sync::Arc;
use std::time::Duration;

use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::netstring::{self, Parsed};
use membermail_alias_map::server::serve;
use membermail_alias_map::settings::CacheTtls;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::FakeSource;

fn lookups() -> Lookups {
    let source = FakeSource::default();
    source.put("alice@ubuntu.com", "alice@mail.example");
    crate::support::lookups(Arc::new(source), CacheTtls::default())
}

/// The expected output: a reply to each request, and after a protocol error one final reply.
async fn expected(lookups: &Lookups, mut input: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match netstring::parse(input) {
            Ok(Parsed::Complete { data, consumed }) => {
                netstring::write(lookups.reply(data).await.to_data().as_bytes(), &mut all);
                input = &input[consumed..];
            }
            Ok(Parsed::Incomplete) => return all,
            Err(error) => {
                netstring::write(format!("PERM {error}").as_bytes(), &mut all);
                return all;
            }
        }
    }
}

/// Sends the fragments one after the other and reads until the server closes.
async fn exchange(lookups: Arc<Lookups>, fragments: &[&[u8]]) -> Option<Vec<u8>> {
    let (peer, server) = tokio::io::duplex(64);
    let serving = tokio::spawn(async move { serve(server, &lookups, &CancellationToken::new()).await });
    let (mut from, mut to) = tokio::io::split(peer);
    let mut output = Vec::new();
    let send = async {
        for fragment in fragments {
            // The server closes after a protocol error.
            if to.write_all(fragment).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        let _ = to.shutdown().await;
    };
    let both = async { tokio::join!(send, from.read_to_end(&mut output)) };
    timeout(Duration::from_secs(5), both).await.ok()?.1.unwrap();
    timeout(Duration::from_secs(5), serving).await.ok()?.unwrap();
    Some(output)
}

/// Valid requests, invalid requests and arbitrary bytes.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let request = prop_oneof![
        Just("alias alice@ubuntu.com".to_owned()),
        "(alias|reject|domain|other) [a-zA-Z+@.\"é]{0,30}",
        "alias [a-c+]{1,200}@ubuntu.com",
        Just(String::new()),
    ];
    let whole = request.prop_map(|data| {
        let mut bytes = Vec::new();
        netstring::write(data.as_bytes(), &mut bytes);
        bytes
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
    fn any_input_gets_reply_or_close(parts in prop::collection::vec(part(), 0..8), cuts in prop::collection::vec(any::<Index>(), 0..10)) {
        let input = parts.concat();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).chain([0, input.len()]).collect();
        ends.sort_unstable();
        let fragments: Vec<_> = ends.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (expected, output) = runtime.block_on(async {
            let lookups = Arc::new(lookups());
            (expected(&lookups, &input).await, exchange(Arc::clone(&lookups), &fragments).await)
        });
        prop_assert_eq!(output.map(|all| String::from_utf8(all).unwrap()), Some(String::from_utf8(expected).unwrap()));
    }
}

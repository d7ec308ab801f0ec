//! Senders that are stored under the token of a return-path address.

use jiff::Timestamp;
use membermail_core::master::MasterKeys;
use membermail_core::random::OsRandom;
use membermail_return_path::{ReturnPath, Sender, StoredToken};
use membermail_store::{SealError, Sealer};
use zeroize::Zeroizing;

use crate::support::{World, days, now};

fn sender(text: &str) -> Sender {
    Sender::parse(text).unwrap()
}

/// The token for mail of that sender at that time.
fn token(sender: &Sender, at: Timestamp) -> StoredToken {
    let keys = MasterKeys::new(Zeroizing::new(b"master".to_vec()), None);
    let address = ReturnPath::new(&keys, "back.forwards.example".parse().unwrap()).for_sender(sender, at);
    address.stored_token().unwrap().clone()
}

#[tokio::test]
async fn sender_is_stored_repeatedly() {
    let world = World::new().await;
    let sender = sender("\"john doe\"@lists.example");
    let token = token(&sender, now());
    assert!(world.store.return_sender(&token).await.unwrap().is_none());
    for _ in 0..2 {
        world.store.put_return_sender(&world.sealer, &token, &sender, &OsRandom).await.unwrap();
        let stored = world.store.return_sender(&token).await.unwrap().unwrap();
        assert_eq!(stored.open(&world.sealer, &token), Ok(sender.clone()));
    }
}

#[tokio::test]
async fn sender_opens_under_its_token() {
    let world = World::new().await;
    let sender = sender("dot.@lists.example");
    let today = token(&sender, now());
    world.store.put_return_sender(&world.sealer, &today, &sender, &OsRandom).await.unwrap();
    let stored = world.store.return_sender(&today).await.unwrap().unwrap();
    assert_eq!(stored.open(&world.sealer, &token(&sender, days(1))), Err(SealError));
    assert_eq!(stored.open(&Sealer::new(b"another"), &today), Err(SealError));
    assert_eq!(stored.open(&world.sealer, &today), Ok(sender));
}

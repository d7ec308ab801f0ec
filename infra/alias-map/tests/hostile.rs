//! Whatever a peer sends, and however slowly: the server answers or closes, and holds no more than it must.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::netstring::LARGEST;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::Patience;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[expect(dead_code, reason = "each test file takes its part")]
mod support;

use support::{Memory, lookups, server};

async fn connect(endpoint: &Endpoint) -> TcpStream {
    let Endpoint::Inet(address) = endpoint else { panic!("not on TCP") };
    TcpStream::connect(address).await.unwrap()
}

fn memory() -> Arc<Memory> {
    let memory = Memory::default();
    memory.put("alice@ubuntu.com", "alice@mail.example");
    Arc::new(memory)
}

/// Resident octets of this process, server and peers together.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Octets, what comes back, and whether the connection is closed then.
#[rstest::rstest]
#[case::negative(b"-1:x,", "27:PERM no length", true)]
#[case::no_netstring(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PERM no length", true)]
#[case::tls(b"\x16\x03\x01\x02\x00\x01\x00", "PERM no length", true)]
#[case::oversized(b"10001:", "PERM too long", true)]
#[case::endless_length(b"111111111111111111111111111111111111111111", "PERM too long", true)]
#[case::no_comma(b"7:alias a;", "PERM no comma", true)]
#[case::unterminated(b"22:alias alice@ubuntu.com", "", false)]
#[case::only_a_length(b"22", "", false)]
#[case::empty(b"0:,", "PERM not a map name and a key", false)]
#[case::no_such_map(b"8:aliases ,", "PERM no such map", false)]
#[case::zeros(b"12:alias \0\0\0\0\0\0,", "NOTFOUND ", false)]
#[case::no_text(b"9:alias \xff\xfe\xfd,", "NOTFOUND ", false)]
#[case::many_at_once(
    b"22:alias alice@ubuntu.com,22:alias alice@ubuntu.com,",
    "OK alice@mail.example,21:OK alice@mail.example,",
    false
)]
#[tokio::test]
async fn it_answers_or_closes(#[case] sent: &[u8], #[case] back: &str, #[case] closes: bool) {
    let (_server, endpoint) = server(memory(), 10).await;
    let mut stream = connect(&endpoint).await;
    stream.write_all(sent).await.unwrap();
    let mut got = Vec::new();
    let ended = timeout(Duration::from_millis(600), stream.read_to_end(&mut got)).await.is_ok();
    let got = String::from_utf8_lossy(&got);
    let back = back.split_once(':').filter(|(length, _)| length.parse::<u32>().is_ok()).map_or(back, |(_, back)| back);
    assert!(got.contains(back) && got.is_empty() == back.is_empty(), "{got:?}");
    assert_eq!(ended, closes, "{got:?}");
    // Others are served as before.
    assert_eq!(Client::connect(&endpoint).await.unwrap().ask("alias", "bob@ubuntu.com").await.unwrap(), "NOTFOUND ");
}

#[tokio::test]
async fn the_largest_question_is_answered() {
    let (_server, endpoint) = server(memory(), 10).await;
    let mut client = Client::connect(&endpoint).await.unwrap();
    let key = "a".repeat(LARGEST - "alias ".len());
    assert_eq!(client.ask("alias", &key).await.unwrap(), "NOTFOUND ");
    assert_eq!(client.ask("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
}

/// An octet a second would hold a place for hours.
#[tokio::test]
async fn who_drips_is_cut_off() {
    let (_server, endpoint) = server(memory(), 10).await;
    let mut stream = connect(&endpoint).await;
    let begin = Instant::now();
    for octet in b"9000:alias aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if stream.write_all(&[*octet]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(13), "cut off after {took:?}");
}

/// Who never reads what it asked for must not make the server hold it.
#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let (_server, endpoint) = server(memory(), 10).await;
    let mut stream = connect(&endpoint).await;
    let (before, begin) = (resident(), Instant::now());
    let question = b"22:alias alice@ubuntu.com,".repeat(1_000);
    while begin.elapsed() < Duration::from_secs(20) {
        match timeout(Duration::from_secs(15), stream.write_all(&question)).await {
            Ok(Ok(())) => {}
            _ => break,
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "it was never cut off");
    assert!(resident() < before + 30_000_000, "{before} octets became {}", resident());
}

/// Each with nearly a whole question, so that each holds as much as it can.
#[tokio::test]
async fn three_thousand_at_once_hold_no_more_than_a_thousand_may() {
    let (limit, at_once) = (1_000, 3_000);
    // Both sides of them are in this process.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard > 8_000, "this machine gives a process {hard} files");
    setrlimit(Resource::RLIMIT_NOFILE, 8_000, hard).unwrap();
    let (_server, endpoint) = server(memory(), limit).await;
    let begin = [format!("{LARGEST}:alias ").into_bytes(), vec![b'a'; LARGEST - 10]].concat();
    let (before, start) = (resident(), Instant::now());
    let mut held = Vec::new();
    for _ in 0..at_once {
        held.push(connect(&endpoint).await);
    }
    for stream in &mut held {
        // Those beyond the limit are closed already, or will be.
        let _ = timeout(Duration::from_secs(2), stream.write_all(&begin)).await.unwrap();
    }
    let mut open = Vec::new();
    for mut stream in held {
        match timeout(Duration::from_millis(2), stream.read(&mut [0; 1])).await {
            Err(_) => open.push(stream),
            Ok(Ok(0) | Err(_)) => {}
            Ok(Ok(_)) => panic!("an answer to half a question"),
        }
    }
    assert_eq!(open.len(), limit, "after {:?}", start.elapsed());
    // A question each, the room that a buffer grows by, and what both sides of a connection are.
    let more = resident().saturating_sub(before);
    assert!(more < at_once * 4_000 + limit * 3 * LARGEST, "{more} octets more");
    assert!(start.elapsed() < Duration::from_secs(9), "it took longer than the slowest may: {:?}", start.elapsed());
    // What they began is answered once it is whole.
    for stream in &mut open {
        stream.write_all(b"aaaa,").await.unwrap();
        let mut reply = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut reply)).await.unwrap().unwrap();
        assert_eq!(&reply, b"9:NOTFOUND ,");
    }
}

#[tokio::test]
async fn thousands_of_connections_are_bounded_and_leave_room_again() {
    let (server, endpoint) = server(memory(), 400).await;
    let before = resident();
    let mut held = Vec::new();
    let mut closed = 0;
    // No more at a time than this process may have open; those beyond the limit are closed at once.
    for number in 0..4_000 {
        let mut stream = connect(&endpoint).await;
        stream.write_all(b"9000:alias ").await.ok();
        if number < 400 {
            held.push(stream);
            continue;
        }
        let mut buffer = [0; 1];
        match timeout(Duration::from_secs(2), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => closed += 1,
            other => panic!("connection {number} beyond the limit: {other:?}"),
        }
    }
    assert_eq!(closed, 3_600);
    assert!(resident() < before + 30_000_000, "{before} octets became {}", resident());
    // What is open is served, also while others knock.
    held.truncate(390);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut client = Client::connect(&endpoint).await.unwrap();
    assert_eq!(client.ask("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
    drop(held);
    server.stop(Duration::from_secs(12)).await;
}

#[tokio::test]
async fn what_was_asked_before_a_stop_is_answered() {
    let memory = Arc::new(Memory { slow: Duration::from_millis(400), ..Memory::default() });
    memory.put("alice@ubuntu.com", "alice@mail.example");
    let (server, endpoint) = server(memory, 10).await;
    let mut idle = Client::connect(&endpoint).await.unwrap();
    let mut busy = Client::connect(&endpoint).await.unwrap();
    let asked = tokio::spawn(async move { busy.ask("alias", "alice@ubuntu.com").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    server.stop(Duration::from_secs(5)).await;
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(asked.await.unwrap().unwrap(), "OK alice@mail.example");
    assert!(idle.ask("alias", "alice@ubuntu.com").await.is_err());
    assert!(Client::connect(&endpoint).await.is_err());
}

#[tokio::test]
async fn a_unix_socket_serves_too_and_what_a_killed_server_left_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint: Endpoint = format!("unix:{}", folder.path().join("map").display()).parse().unwrap();
    // As after a kill: the file is there, and nobody behind it.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("map")).unwrap());
    let server = Server::new(Arc::new(lookups(memory(), Patience::default())), 10);
    server.listen(Listener::bind(&endpoint).await.unwrap());
    let mut client = Client::connect(&endpoint).await.unwrap();
    assert_eq!(client.ask("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
    assert!(Listener::bind(&endpoint).await.is_err(), "a second server took the place of one that runs");
}

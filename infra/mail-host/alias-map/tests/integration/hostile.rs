//! Hostile peers: the server replies or closes, within its time and memory limits.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::netstring::MAX_LENGTH;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::CacheTtls;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{FakeSource, lookups, server};

async fn connect(endpoint: &Endpoint) -> TcpStream {
    let Endpoint::Inet(address) = endpoint else { panic!("not on TCP") };
    TcpStream::connect(address).await.unwrap()
}

fn source() -> Arc<FakeSource> {
    let source = FakeSource::default();
    source.put("alice@ubuntu.com", "alice@mail.example");
    Arc::new(source)
}

/// Resident bytes of this process, which runs server and peers.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Sent bytes, the expected reply, and whether the connection is closed afterwards.
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
#[case::not_utf8(b"9:alias \xff\xfe\xfd,", "NOTFOUND ", false)]
#[case::pipelined(
    b"22:alias alice@ubuntu.com,22:alias alice@ubuntu.com,",
    "OK alice@mail.example,21:OK alice@mail.example,",
    false
)]
#[tokio::test]
async fn malformed_input_gets_reply_or_close(#[case] sent: &[u8], #[case] expected: &str, #[case] closes: bool) {
    let (_server, endpoint) = server(source(), 10).await;
    let mut stream = connect(&endpoint).await;
    stream.write_all(sent).await.unwrap();
    let mut got = Vec::new();
    let ended = timeout(Duration::from_millis(600), stream.read_to_end(&mut got)).await.is_ok();
    let got = String::from_utf8_lossy(&got);
    let expected =
        expected.split_once(':').filter(|(length, _)| length.parse::<u32>().is_ok()).map_or(expected, |(_, data)| data);
    assert!(got.contains(expected) && got.is_empty() == expected.is_empty(), "{got:?}");
    assert_eq!(ended, closes, "{got:?}");
    // Other connections are still served.
    assert_eq!(
        Client::connect(&endpoint).await.unwrap().request("alias", "bob@ubuntu.com").await.unwrap(),
        "NOTFOUND "
    );
}

#[tokio::test]
async fn largest_request_is_answered() {
    let (_server, endpoint) = server(source(), 10).await;
    let mut client = Client::connect(&endpoint).await.unwrap();
    let key = "a".repeat(MAX_LENGTH - "alias ".len());
    assert_eq!(client.request("alias", &key).await.unwrap(), "NOTFOUND ");
    assert_eq!(client.request("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
}

/// A byte per second would occupy a connection for hours.
#[tokio::test]
async fn slow_sender_is_disconnected() {
    let (_server, endpoint) = server(source(), 10).await;
    let mut stream = connect(&endpoint).await;
    let begin = Instant::now();
    for octet in b"9000:alias aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if stream.write_all(&[*octet]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(13), "disconnected after {took:?}");
}

/// Unread replies must not accumulate in the server.
#[tokio::test]
async fn peer_that_never_reads_is_disconnected() {
    let (_server, endpoint) = server(source(), 10).await;
    let mut stream = connect(&endpoint).await;
    let before = resident();
    let begin = Instant::now();
    let requests = b"22:alias alice@ubuntu.com,".repeat(1_000);
    while begin.elapsed() < Duration::from_secs(20) {
        match timeout(Duration::from_secs(15), stream.write_all(&requests)).await {
            Ok(Ok(())) => {}
            _ => break,
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "it was not disconnected");
    assert!(resident() < before + 30_000_000, "{before} bytes became {}", resident());
}

/// Each connection sends almost a whole request, to use as much memory as it can.
#[tokio::test]
async fn excess_connections_use_no_buffers() {
    let limit = 1_000;
    let at_once = 3_000;
    // Both ends of the connections are in this process.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard > 8_000, "the file descriptor limit is {hard}");
    setrlimit(Resource::RLIMIT_NOFILE, 8_000, hard).unwrap();
    let (_server, endpoint) = server(source(), limit).await;
    let begin = [format!("{MAX_LENGTH}:alias ").into_bytes(), vec![b'a'; MAX_LENGTH - 10]].concat();
    let before = resident();
    let start = Instant::now();
    let mut held = Vec::new();
    for _ in 0..at_once {
        held.push(connect(&endpoint).await);
    }
    for stream in &mut held {
        // Connections over the limit are or will be closed.
        let _ = timeout(Duration::from_secs(2), stream.write_all(&begin)).await.unwrap();
    }
    let mut open = Vec::new();
    for mut stream in held {
        match timeout(Duration::from_millis(2), stream.read(&mut [0; 1])).await {
            Err(_) => open.push(stream),
            Ok(Ok(0) | Err(_)) => {}
            Ok(Ok(_)) => panic!("a reply to an incomplete request"),
        }
    }
    assert_eq!(open.len(), limit, "after {:?}", start.elapsed());
    // One request each, the growth of a buffer, and both ends of a connection.
    let more = resident().saturating_sub(before);
    assert!(more < at_once * 4_000 + limit * 3 * MAX_LENGTH, "{more} bytes more");
    assert!(start.elapsed() < Duration::from_secs(9), "it took longer than the I/O timeout: {:?}", start.elapsed());
    // Completed requests are answered.
    for stream in &mut open {
        stream.write_all(b"aaaa,").await.unwrap();
        let mut reply = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut reply)).await.unwrap().unwrap();
        assert_eq!(&reply, b"9:NOTFOUND ,");
    }
}

#[tokio::test]
async fn connection_limit_is_enforced_and_released() {
    let (server, endpoint) = server(source(), 400).await;
    let before = resident();
    let mut held = Vec::new();
    let mut closed = 0;
    // Connections over the limit are closed at once, so that this process does not run out of file descriptors.
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
    assert!(resident() < before + 30_000_000, "{before} bytes became {}", resident());
    // Closed connections free their permits.
    held.truncate(390);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut client = Client::connect(&endpoint).await.unwrap();
    assert_eq!(client.request("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
    drop(held);
    server.stop(Duration::from_secs(12)).await;
}

#[tokio::test]
async fn shutdown_finishes_requests_in_progress() {
    let source = Arc::new(FakeSource { delay: Duration::from_millis(400), ..FakeSource::default() });
    source.put("alice@ubuntu.com", "alice@mail.example");
    let (server, endpoint) = server(source, 10).await;
    let mut idle = Client::connect(&endpoint).await.unwrap();
    let mut busy = Client::connect(&endpoint).await.unwrap();
    let request = tokio::spawn(async move { busy.request("alias", "alice@ubuntu.com").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    server.stop(Duration::from_secs(5)).await;
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(request.await.unwrap().unwrap(), "OK alice@mail.example");
    assert!(idle.request("alias", "alice@ubuntu.com").await.is_err());
    assert!(Client::connect(&endpoint).await.is_err());
}

#[tokio::test]
async fn unix_socket_replaces_stale_file() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint: Endpoint = format!("unix:{}", folder.path().join("map").display()).parse().unwrap();
    // As after SIGKILL: the file exists, and no process listens.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("map")).unwrap());
    let server = Server::new(Arc::new(lookups(source(), CacheTtls::default())), 10);
    server.listen(Listener::bind(&endpoint).await.unwrap());
    let mut client = Client::connect(&endpoint).await.unwrap();
    assert_eq!(client.request("alias", "alice@ubuntu.com").await.unwrap(), "OK alice@mail.example");
    assert!(Listener::bind(&endpoint).await.is_err(), "a second server replaced a running one");
}

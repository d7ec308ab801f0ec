//! All processes of a local stack listen on loopback only.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Result, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::sockets::{Listening, listening};
use membermail_tests::stack::Stack;

/// The beginnings of the names of test processes.
const TESTS: [&str; 2] = ["e2e-", "operator-"];

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn stack_listens_on_loopback_only() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Both functions of the site have been started by now, each with a runtime API.
    let mut browser = Browser::new()?;
    browser.get(stack.public_url.clone()).await?;
    browser.get(stack.public_url.join("sign-in")?).await?;

    let mut sockets = listening(stack.pid)?;
    // Other tests run at the same time, and the sockets of their DNS queries are bound to no address.
    sockets.retain(|socket| !TESTS.iter().any(|test| socket.program.starts_with(test)));
    let strangers: Vec<_> = sockets.iter().filter(|socket| !socket.is_on_loopback()).collect();
    ensure!(strangers.is_empty(), "others can reach {strangers:#?}");

    // The check covered front, fakes, emulator, DynamoDB and the runtime APIs.
    let ports: BTreeSet<_> = sockets.iter().map(|socket| socket.at.port()).collect();
    for url in [&stack.public_url, &stack.fakes_url, &stack.endpoint_url, &stack.dynamodb_url] {
        let port = url.port().unwrap_or_default();
        ensure!(ports.contains(&port), "no socket listens on {port} of {url} in {sockets:#?}");
    }
    // DynamoDB Local of the stack and of the tests; the endpoint of AWS and the runtime APIs.
    for (program, least) in [("java", 2), ("python", 3)] {
        let count = sockets.iter().filter(|socket| socket.program.starts_with(program)).count();
        ensure!(count >= least, "{count} sockets of {program} in {sockets:#?}");
    }
    Ok(())
}

#[test]
fn listening_socket_is_found() -> Result<()> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let found = listening(i32::try_from(std::process::id())?)?;
    for at in [tcp.local_addr()?, udp.local_addr()?] {
        ensure!(found.iter().any(|socket| socket.at == at), "{at} is not in {found:?}");
    }
    Ok(())
}

#[rstest::rstest]
#[case("127.0.0.1:1", true)]
#[case("127.9.9.9:1", true)]
#[case("[::1]:1", true)]
#[case("[::ffff:127.0.0.1]:1", true)]
#[case("0.0.0.0:1", false)]
#[case("[::]:1", false)]
#[case("192.168.1.2:1", false)]
#[case("[::ffff:192.168.1.2]:1", false)]
#[case("[fe80::1]:1", false)]
fn socket_reach_follows_its_address(#[case] at: &str, #[case] only_this_machine: bool) -> Result<()> {
    let socket = Listening { at: at.parse()?, program: String::new() };
    ensure!(socket.is_on_loopback() == only_this_machine);
    Ok(())
}

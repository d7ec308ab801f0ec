//! Nothing that a stack on this machine starts can be reached from elsewhere.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Result, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::sockets::{Listening, listening};
use membermail_tests::stack::Stack;

#[tokio::test]
async fn everything_listens_on_loopback_only() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Both functions of the site have been started by now, each with a runtime API.
    let mut browser = Browser::new()?;
    browser.get(stack.public_url.clone()).await?;
    browser.get(stack.public_url.join("sign-in")?).await?;

    let sockets = listening(stack.pid)?;
    let strangers: Vec<_> = sockets.iter().filter(|socket| !socket.is_on_loopback()).collect();
    ensure!(strangers.is_empty(), "others can reach {strangers:#?}");

    // And these were among those looked at: front, stand-ins, AWS, its table, and the runtime APIs.
    let ports: BTreeSet<_> = sockets.iter().map(|socket| socket.at.port()).collect();
    for url in [&stack.public_url, &stack.stand_ins_url, &stack.endpoint_url] {
        let port = url.port().unwrap_or_default();
        ensure!(ports.contains(&port), "nobody listens on {port} of {url} in {sockets:#?}");
    }
    let of = |name: &str| sockets.iter().filter(|socket| socket.program.starts_with(name)).count();
    ensure!(of("java") >= 1, "no DynamoDB Local in {sockets:#?}");
    ensure!(of("python") >= 3, "no runtime APIs beside the endpoint of AWS in {sockets:#?}");
    Ok(())
}

#[test]
fn a_listening_socket_is_found() -> Result<()> {
    let (tcp, udp) = (TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
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
fn who_can_reach_a_socket(#[case] at: &str, #[case] only_this_machine: bool) -> Result<()> {
    let socket = Listening { at: at.parse()?, program: String::new() };
    ensure!(socket.is_on_loopback() == only_this_machine);
    Ok(())
}

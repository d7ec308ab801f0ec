//! At the door: whom mail is for, and what others are told.

use anyhow::{Result, ensure};
use membermail_postfix::follow::Said;
use membermail_tests::mail::{MailHost, SENDER, WIDE};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;

use crate::{PATIENCE, host, member, refused, set_status};

#[tokio::test]
async fn mail_arrives_after_the_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "arrives", "misses = \"0s\"").await?;
    let before = host.send("alice@ubuntu.com", "before").await?;
    // Another story may have signed her in already; what matters here is that nobody is refused afterwards.
    ensure!(matches!(before, Said::Taken(_)) || refused(&before, "5.1.1", "User unknown"), "{before:?}");
    let (browser, _) = stack.sign_in("alice").await?;
    for domain in ["ubuntu.com", "kubuntu.org"] {
        stack.page_with(&browser, &format!("alice@{domain} now forwards to alice@mail.example"), PATIENCE).await?;
    }
    for (number, address) in ["alice@ubuntu.com", "alice@kubuntu.org", "Alice@Ubuntu.Com"].iter().enumerate() {
        let subject = format!("hello {number}");
        let mail = host.deliver(address, &subject).await?;
        ensure!(mail.recipients == ["alice@mail.example"], "{address} went to {:?}", mail.recipients);
        // SPF at the receiver is asked of this domain, and it is the mail host's own.
        ensure!(mail.sender.ends_with("@srs.membermail.test") && mail.sender.starts_with("SRS0="), "{}", mail.sender);
        let text = String::from_utf8_lossy(&mail.raw);
        ensure!(text.contains(&format!("From: A Sender <{SENDER}>")) && text.contains(&format!("To: <{address}>")));
        ensure!(mail.text.trim() == "A mail from elsewhere.", "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tag_is_taken_off_and_handed_on_where_it_is_understood() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "tags", "").await?;
    member(&stack, "pat30").await?;
    let mail = host.deliver("pat30+news@ubuntu.com", "a tag").await?;
    ensure!(mail.recipients == ["pat30@mail.example"], "{:?}", mail.recipients);
    host.rig.change_settings("takes-tags = [\"mail.example\"]")?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let mail = host.deliver("Pat30+News@ubuntu.com", "a tag again").await?;
    ensure!(mail.recipients == ["pat30+news@mail.example"], "{:?}", mail.recipients);

    let (browser, _) = stack.sign_in("heidi+tag").await?;
    stack.page_with(&browser, "heidi+tag@ubuntu.com now forwards to", PATIENCE).await?;
    let mail = host.deliver("heidi+tag@ubuntu.com", "a name with a plus").await?;
    ensure!(mail.recipients == ["heidi-tag@mail.example"], "{:?}", mail.recipients);
    let mail = host.deliver("heidi+tag+news@ubuntu.com", "a name with a plus and a tag").await?;
    ensure!(mail.recipients == ["heidi-tag+news@mail.example"], "{:?}", mail.recipients);
    let said = host.send("heidi@ubuntu.com", "half a name").await?;
    ensure!(refused(&said, "5.1.1", "User unknown"), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn mail_to_anybody_else_is_refused_at_the_door() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "refused", "hits = \"0s\"\nmisses = \"0s\"").await?;
    for (recipient, code, words) in [
        ("nobody-of-that-name@ubuntu.com", "5.1.1", "User unknown in virtual alias table"),
        ("nobody-of-that-name+tag@ubuntu.com", "5.1.1", "User unknown"),
        ("nobody-of-that-name@kubuntu.org", "5.1.1", "User unknown"),
    ] {
        let said = host.send(recipient, "refused").await?;
        ensure!(refused(&said, code, words), "{recipient}: {said:?}");
    }
    // Neither a stranger's domain nor one below ours nor this host itself: no open relay, also not for loopback.
    for recipient in ["bob@example.org", "alice@mail.ubuntu.com", "alice%example.org@mail.membermail.test"] {
        let said = host.send(recipient, "refused").await?;
        let relay = matches!(&said, Said::Refused(text) if text.starts_with("554") && text.contains("5.7.1"));
        ensure!(relay, "{recipient}: {said:?}");
    }
    member(&stack, "pat31").await?;
    let pat = "pat31@ubuntu.com";
    host.deliver(pat, "as long as it is active").await?;
    for (status, reason, code, words) in [
        ("suspended", "not-in-team", "5.2.1", "no longer a member of the community"),
        ("suspended", "banned", "5.2.1", "This address is switched off"),
        ("retired", "not-in-team", "5.1.6", "no longer in use"),
    ] {
        set_status(&stack, pat, status, reason).await?;
        for recipient in [pat, "PAT31+tag@Ubuntu.com"] {
            let said = host.send(recipient, "refused").await?;
            ensure!(refused(&said, code, words), "{status} {reason}: {said:?}");
        }
    }
    set_status(&stack, pat, "leaving", "not-in-team").await?;
    host.deliver(pat, "in the time of grace").await?;
    set_status(&stack, pat, "active", "eligible").await?;

    let (browser, _) = stack.sign_in("loop").await?;
    stack.page_with(&browser, "Switched off: mail would go round in a circle", PATIENCE).await?;
    let said = host.send("loop@ubuntu.com", "refused").await?;
    ensure!(refused(&said, "5.4.6", "forwards to itself"), "{said:?}");
    ensure!(host.rig.inbox.all()?.iter().all(|mail| mail.subject != "refused"));
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_or_too_often_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let limits = membermail_postfix::config::Limits { messages_a_minute: 3, ..WIDE };
    let host = MailHost::start(&stack, "limits", &stack.endpoint_url, "", limits).await?;
    member(&stack, "pat32").await?;
    let mut mail = membermail_tests::mail::mail("pat32@ubuntu.com", "large");
    mail.extend("x".repeat(70).as_bytes().repeat(40_000).chunks(70).flat_map(|line| [line, b"\r\n"].concat()));
    let port = host.rig.smtp;
    let said = membermail_postfix::follow::send(port, None, Some(SENDER), "pat32@ubuntu.com", &mail).await?;
    ensure!(matches!(&said, Said::Refused(text) if text.contains("5.3.4")), "{said:?}");
    let mut later = 0;
    for number in 0..4 {
        if let Said::Later(words) = host.send("pat32@ubuntu.com", &format!("often {number}")).await? {
            ensure!(words.starts_with("450") || words.starts_with("451"), "{words}");
            later += 1;
        }
    }
    ensure!(later >= 1, "four mails in a minute, where three are allowed, were all taken");
    Ok(())
}

#[tokio::test]
async fn reserved_names_reach_the_admins() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "reserved", "hits = \"0s\"\nmisses = \"0s\"").await?;
    // An admin who signed in once is found by name, and reads it where they signed in from.
    stack.sign_in("ubuntu-admin").await?;
    let admin = async || -> Result<Option<String>> {
        let member = stack.store().await.member_by_name(&"ubuntu-admin".parse()?).await?;
        let Some(member) = member else { return Ok(None) };
        Ok(member.sign_in_address(&stack.sealer().await?)?.map(|address| address.expose().to_owned()))
    };
    let before = until("the admin to be known", std::time::Duration::from_secs(PATIENCE), &admin).await?;
    let mail = host.deliver("postmaster@ubuntu.com", "to an admin of the table").await?;
    // Another story may have them sign in from elsewhere meanwhile.
    let known = [Some(before), admin().await?];
    ensure!(known.contains(&mail.recipients.first().cloned()), "it went to {:?}", mail.recipients);
    host.rig.change_settings("hits = \"0s\"\nmisses = \"0s\"\n[admins]\nubuntu-admin = \"admin@ops.example\"")?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    for (number, local) in ["postmaster", "Abuse", "abuse+spam", "devel-request", "ssladmin"].iter().enumerate() {
        let mail = host.deliver(&format!("{local}@kubuntu.org"), &format!("reserved {number}")).await?;
        ensure!(mail.recipients == ["admin@ops.example"], "{local} went to {:?}", mail.recipients);
    }
    Ok(())
}

#[tokio::test]
async fn a_new_domain_needs_no_reload_of_postfix() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "domains", "hits = \"0s\"\nmisses = \"0s\"").await?;
    // As a domain is before its first proof, and after it.
    let first = stack.domain_attribute("lubuntu.me", "first_verified", None).await?;
    let said = host.send("nobody-here@lubuntu.me", "refused").await?;
    ensure!(matches!(&said, Said::Refused(text) if text.starts_with("554")), "{said:?}");
    stack.domain_attribute("lubuntu.me", "first_verified", first).await?;
    // Another address: smtpd remembers the last one that it resolved.
    let said = host.send("nobody-either@lubuntu.me", "refused").await?;
    ensure!(refused(&said, "5.1.1", "User unknown"), "{said:?}");
    Ok(())
}

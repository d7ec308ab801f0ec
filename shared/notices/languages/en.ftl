# English: the language that every other is translated from, and that stands in where a text is missing elsewhere.
# A language is one such file. `direction` is ltr or rtl; a blank line in a text begins a new paragraph.

direction = ltr
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
thousands = ,

## Around every mail

greeting = Hello { $name },
service = { $community } mail
footer-member = You get this because you have an address of the { $community } community. If you need help, reply to this mail or see { $help }
footer-admin = You get this because you are an admin of { $domain } in the { $community } community.
footer-operators = You get this because this address is set as the operators’ of { $community } mail.

## To a member

addresses-button = See your addresses
stays-yours = The address stays yours: no other member will ever get it.

member-created =
    .subject = { $address } is yours
    .heading = Your address is ready
    .body =
        Mail to { $address } is now forwarded to this mailbox.

        Send yourself a message to try it.
member-renamed =
    .subject = Your new address is { $address }
    .heading = A new name, a new address
    .body =
        Your Launchpad name has changed, so you have a new address: mail to { $address } is now forwarded to you.
    .former = Your former address { $from } keeps forwarding to you, and no other member will ever get it. Tell people the new one when it suits you.
member-leaving =
    .subject = { $address } ends on { $until }
    .heading = Your address ends on { $until }
    .body =
        { $reason }

        Mail to { $address } is forwarded until { $until }. After that it is refused, and the sender is told.
member-restored =
    .subject = { $address } works as before
    .heading = Your address works as before
    .body = You are eligible for { $address } again. Mail to it is forwarded to you as before.
member-returned =
    .subject = { $address } is back
    .heading = Your address is back
    .body =
        Welcome back: { $address } is yours again. Mail to it is now forwarded to this mailbox.

        Send yourself a message to try it.
member-suspended =
    .subject = { $address } is switched off
    .heading = Your address is switched off
    .body =
        { $reason }

        Mail to { $address } is refused from now on, and the sender is told.
member-destination =
    .subject = Mail for { $address } does not reach you
    .heading = Mail for { $address } does not reach you
    .body =
        The mail server to which { $address } forwards refuses mail for you: it answered { $reply }. Until that changes, mail to { $address } does not reach you.

        Please check that mailbox: it may be full, or no longer yours. If you cannot fix it, reply to this mail and we will help.

member-linked =
    .subject = Your two sign-ins are one account now
    .heading = Your two sign-ins are one account now
    .body =
        You signed in to { $community } mail with two different { $provider } accounts. Both belong to the same person, so they are one account here from now on. Both sign-in addresses get this mail.

        Whichever of the two you sign in with, you see all of your addresses. Each address keeps forwarding to the same mailbox as before, and there is nothing you need to do.

        If this was not you, or if the other sign-in is not yours, reply to this mail. We will look into it with you and can undo it.

# Why, in a sentence.
reason-eligible = You are eligible again.
reason-loop = Your address would forward to itself: the e-mail address that you sign in with is in a domain of the { $community } community.
reason-not-in-team = You are no longer a member of the team that goes with { $domain }.
reason-not-valid = Launchpad no longer counts your account as valid.
reason-deactivated = Your Launchpad account is deactivated.
reason-account-suspended = Your Launchpad account is suspended.
reason-account-closed = Your Launchpad account is closed.
reason-no-preferred-address = Your Launchpad account has no preferred e-mail address.
reason-code-of-conduct-withdrawn = Your Launchpad account no longer has a signed Code of Conduct.
reason-banned = An operator of { $community } mail has blocked your account.
reason-ban-lifted = Your account is no longer blocked.
reason-domain-retired = The { $community } community gives up { $domain }, so all of its addresses end.
reason-unassigned = We do not know yet whose address this is.

# What to do, by the same reasons.
next-eligible = There is nothing you need to do.
next-loop = Choose another e-mail address at { $provider }, then sign in once more.
next-not-in-team = If this is a mistake, please ask the admins of the team. Once you are a member again, open your addresses and press “Check again”: everything will work as before.
next-not-valid = Your profile on Launchpad shows what is missing. Once it is sorted out, open your addresses and press “Check again”: everything will work as before. If you are stuck, reply to this mail.
next-deactivated = If you want to keep using it, reactivate it by logging in to Launchpad. Then open your addresses and press “Check again”: everything will work as before.
next-account-suspended = Only Launchpad’s administrators can change this, so please ask them. Once your account is active again, open your addresses and press “Check again”: everything will work as before.
next-account-closed = A closed account cannot be reopened. If you use another Launchpad account now, sign in with that one, then reply to this mail: we can bring your address together with it.
next-no-preferred-address = Choose a preferred e-mail address on Launchpad. Then open your addresses and press “Check again”: everything will work as before.
next-code-of-conduct-withdrawn = Sign the Code of Conduct on Launchpad. Then open your addresses and press “Check again”: everything will work as before.
next-banned = If you think that this is a mistake, reply to this mail.
next-ban-lifted = Your address comes back within a few hours. To have it at once, open your addresses and press “Check again”.
next-domain-retired = Tell people another address of yours in time. If you have an address in another domain of the community, it is not affected.
next-unassigned = If it is yours, reply to this mail.

## To the admins of a domain

digest =
    .subject = { $count ->
        [one] One change at { $domain }
       *[other] { $number } changes at { $domain }
    }
    .heading = What changed at { $domain }
    .body = This is for your information; there is nothing you need to do.
digest-more = { $count ->
    [one] And one more, which the audit log has:
   *[other] And { $number } more, which the audit log has:
}
news-created = new
news-restored = back again
news-loop = switched off: it would forward to itself
news-removed-eligible = switched off
news-removed-not-in-team = switched off: no longer in the team
news-removed-not-valid = switched off: the Launchpad account is not valid
news-removed-deactivated = switched off: the Launchpad account is deactivated
news-removed-account-suspended = switched off: the Launchpad account is suspended
news-removed-account-closed = switched off: the Launchpad account is closed
news-removed-no-preferred-address = switched off: the Launchpad account has no preferred e-mail address
news-removed-code-of-conduct-withdrawn = switched off: the Code of Conduct is no longer signed
news-removed-domain-retired = switched off: the domain is retired
news-removed-unassigned = switched off: its owner is not known
news-removed-banned = switched off: blocked by an operator
news-removed-ban-lifted = switched off until the next sync
count-created = New
count-restored = Back again
count-loop = Switched off for a loop
count-removed = Switched off
no-admin = { $domain } has no admin who can act, so you get this as an operator. An admin must be bound, have a valid Launchpad account and an active address.
no-admin-documented = The community file documents these admins: { $names }. Their names alone give no rights, so bind the members.
no-admin-bind = Bind an admin

held =
    .subject = A sync of { $domain } waits for you
    .heading = A sync of { $domain } needs your decision
    .body =
        It would change more than a sync may do unattended, so nothing has been changed except for bans.

        Look at what it would do, and then let it go on or drop it:
held-many-grants = Too many grants within 24 hours
held-many-removals = Too many removals within 24 hours
held-many-suspensions = Too many grace periods that end within 24 hours
held-many-retirements = Too much data to be deleted within 24 hours
held-of = { $count } with { $of } addresses
held-active = Active addresses
held-create = To be given
held-rename = To be renamed
held-restore = To come back
held-leave = To end after a grace
held-suspend = To be switched off
held-retire = To lose their data
held-unverified = Not looked up yet
held-show = Look at it
held-release = Let it go on
held-reject = Drop it

release-resent =
    .subject = A released sync of { $domain } was started again
    .heading = A released sync of { $domain } was started again
    .body =
        An operator released it, but the message that carries it out was lost. It has been sent again, so you need not do anything. If the run is not applied within a few hours, ask the operators to look at the queues.

        Look at the run:

domain-verified =
    .subject = { $domain } has proven itself
    .heading = { $domain } has proven itself
    .body = It belongs to the { $community } community, so members get addresses there from now on.
domain-record-gone =
    .subject = The record of { $domain } is gone
    .heading = The record of { $domain } is gone
    .body =
        The TXT record by which { $domain } proves that it belongs to the { $community } community is no longer in DNS. New addresses are given until { $until } all the same; those that are there go on in any case.

        Put the record back. This shows it:
domain-lapsed =
    .subject = { $domain } gives no new addresses any more
    .heading = { $domain } gives no new addresses any more
    .body =
        The record by which { $domain } proves that it belongs to the { $community } community has been gone for too long. Addresses that are there go on; new ones are given once it is back.

        Put the record back. This shows it:
domain-restored =
    .subject = The record of { $domain } is back
    .heading = The record of { $domain } is back
    .body = { $domain } proves again that it belongs to the { $community } community, and gives new addresses as before.
domain-unverified =
    .subject = { $domain } must prove itself again
    .heading = { $domain } must prove itself again
    .body =
        An operator took back that { $domain } counts as proven. From now on its record in DNS decides whether new addresses are given; those that are there go on in any case.

        This shows the record:
domain-unlisted =
    .subject = { $domain } is missing from the community file
    .heading = { $domain } is missing from the community file
    .body =
        The table has { $domain }, and the community file no longer lists it. Its addresses go on forwarding, and no member gets a new one there. Nothing ends until an operator decides so.

        If this is a mistake, put the domain back into the file. If the { $community } community gives the domain up, retire it. Without a further option, this command only shows what would happen:
domain-retire = Retire the domain
domain-retiring =
    .subject = { $domain } is given up, and its addresses end on { $until }
    .heading = { $domain } is given up
    .body =
        An operator retires { $domain }. Its addresses forward until { $until }, and each member is told. After that, mail is refused and the sender is told.

        Until then an operator can still take this back.
domain-retirement-cancelled =
    .subject = { $domain } stays
    .heading = { $domain } stays
    .body = An operator cancelled the retirement of { $domain }. Its addresses work as before, and the members are told.
domain-show = The record

## To the operators

failure =
    .subject = { $step } gave up: { $error }
    .heading = { $step } gave up
    .body = A message failed for good and is not tried again. It is in the dead-letter queue, with everything needed to replay it.
failure-refused =
    .subject = A notice was refused: { $reply }
    .heading = A notice was refused
    .body = The mail server refused a notice for good. It is not sent again.
failure-counted = { $count ->
    [one] The same happened once more since the last mail about it.
   *[other] The same happened { $count } more times since the last mail about it.
}
failure-quiet = If it happens again within { $hours ->
    [one] an hour
   *[other] { $hours } hours
}, it is counted, and the next mail tells how often.
failure-member = Launchpad name
failure-step = Step
failure-error = Error
failure-cause = Cause
failure-request = Request id
failure-nobody = concerns no single member

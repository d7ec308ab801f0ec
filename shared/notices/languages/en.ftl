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

## Around every mail

greeting = Hello { $name },
service = { $community } mail
footer-member = You get this because you have an address of the { $community } community. Reply to this mail to reach people who help, or look at { $help }
footer-admin = You get this because you are an admin of { $domain } in the { $community } community.
footer-operators = You get this because this address is set as the operators’ of { $community } mail.

## To a member

addresses-button = See your addresses
stays-yours = The address stays yours: nobody else will ever get it.

member-created =
    .subject = { $address } is yours
    .heading = Your address is ready
    .body =
        Mail to { $address } is now forwarded to you here, where you read this.

        Send yourself a message to try it.
member-renamed =
    .subject = Your new address is { $address }
    .heading = A new name, a new address
    .body =
        Launchpad has a new name for you, so there is a new address for you: mail to { $address } is now forwarded to you.

        Your former address { $from } goes on forwarding to you as before, and nobody else will get it. Tell people the new one when it suits you.
member-leaving =
    .subject = { $address } ends on { $until }
    .heading = Your address ends on { $until }
    .body =
        { $reason }

        Mail to { $address } is forwarded until { $until }. From then on it is refused, and whoever writes to you is told so.
member-restored =
    .subject = { $address } works as before
    .heading = Your address works as before
    .body = You are eligible for { $address } again. Mail to it is forwarded to you as if nothing had been.
member-suspended =
    .subject = { $address } is switched off
    .heading = Your address is switched off
    .body =
        { $reason }

        Mail to { $address } is refused from now on, and whoever writes to you is told so.
member-destination =
    .subject = Mail for { $address } does not reach you
    .heading = Mail for { $address } does not reach you
    .body =
        The mail server to which { $address } forwards refuses mail for you: it answered { $reply }. As long as it does, mail to { $address } is lost to you.

        See to that mailbox: perhaps it is full, or no longer yours. If you cannot, reply to this mail, and people will help.

# Why, in a sentence.
reason-eligible = You are eligible again.
reason-loop = Mail would go round in a circle: the address that you sign in with lies in a domain of the { $community } community itself.
reason-not-in-team = You are no longer a member of the team that goes with { $domain }.
reason-not-valid = Launchpad says that your account is not active.
reason-code-of-conduct-withdrawn = Your signature under the Code of Conduct is gone.
reason-banned = An operator of { $community } mail has blocked your account.
reason-ban-lifted = Your account is no longer blocked.

# What to do, by the same reasons.
next-eligible = There is nothing to do for you.
next-loop = Choose another address with { $provider }, then log in here again.
next-not-in-team = If that is not right, speak to the admins of the team. Once you are a member again, log in here, and everything is as before.
next-not-valid = Once Launchpad has your account as active again, log in here, and everything is as before.
next-code-of-conduct-withdrawn = Sign it on Launchpad again, then log in here, and everything is as before.
next-banned = If you think that this is a mistake, reply to this mail.
next-ban-lifted = Your address comes back within hours, or at once when you log in here.

## To the admins of a domain

digest =
    .subject = { $count ->
        [one] One change at { $domain }
       *[other] { $count } changes at { $domain }
    }
    .heading = What changed at { $domain }
    .body = Nothing is asked of you; this is so that you know.
digest-more = { $count ->
    [one] And one more, which the audit log has:
   *[other] And { $count } more, which the audit log has:
}
news-created = new
news-restored = back again
news-loop = switched off: mail would go round in a circle
news-removed-eligible = switched off
news-removed-not-in-team = switched off: no longer in the team
news-removed-not-valid = switched off: the Launchpad account is not active
news-removed-code-of-conduct-withdrawn = switched off: the Code of Conduct is no longer signed
news-removed-banned = switched off: blocked by an operator
news-removed-ban-lifted = switched off until the next sync
count-created = New
count-restored = Back again
count-loop = Switched off for a loop
count-removed = Switched off
absent-admins = { $names } of { $domain } never signed in here, so that there is no address to write to. This comes to you in their place.

held =
    .subject = A sync of { $domain } waits for you
    .heading = Somebody must look at a sync of { $domain }
    .body =
        It would take { $taken ->
            [one] one
           *[other] { $taken }
        } of { $active } active addresses. That is more than is done without somebody having looked, so nothing has been changed.

        Look at what it would do, and then let it go on or drop it:
held-active = Active addresses
held-create = To be given
held-rename = To be renamed
held-restore = To come back
held-leave = To end after a grace
held-suspend = To be switched off
held-retire = To lose their data
held-show = Look at it
held-release = Let it go on
held-reject = Drop it

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
domain-show = The record

## To the operators

failure =
    .subject = { $step } gave up: { $error }
    .heading = { $step } gave up
    .body = A message failed so often that it is not tried any more. It lies in the dead-letter queue with all that is needed to replay it.
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

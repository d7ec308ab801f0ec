# English: the source of every translation, and the fallback for texts that a translation does not have yet.
# One file per language, for mails and pages. `direction` is ltr or rtl; a blank line in a text starts a new paragraph.

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
footer-member = You get this mail because you have an address in the { $community } community. If you need help, reply to this mail or see { $help }
footer-admin = You get this mail because you are an admin of { $domain } in the { $community } community.
footer-operators = You get this mail because this is the operators’ address of { $community } mail.

## To a member

addresses-button = See your addresses
stays-yours = The address stays yours: no other member will ever get it.

member-created =
    .subject = { $address } is yours
    .heading = Your address is ready
    .body =
        Mail to { $address } is now forwarded to this mailbox.

        To try it, send a message to { $address } from another address.
member-renamed =
    .subject = Your new address is { $address }
    .heading = You have a new address
    .body =
        Your { $source } name has changed, so you have a new address. Mail to { $address } is now forwarded to you.
    .former = Your former address { $from } keeps forwarding to you, and no other member will ever get it. You can tell people the new one at your own pace.
member-leaving =
    .subject = { $address } ends on { $until }
    .heading = Your address ends on { $until }
    .body =
        { $reason }

        Mail to { $address } is still forwarded until { $until }. After that it is rejected, and senders get an error message.
member-restored =
    .subject = { $address } works as before
    .heading = Your address works as before
    .body = You are eligible for { $address } again, so mail to it is forwarded to you as before.
member-returned =
    .subject = { $address } is back
    .heading = Your address is back
    .body =
        Welcome back! { $address } is yours again. Mail to it is now forwarded to this mailbox.

        To try it, send a message to { $address } from another address.
member-suspended =
    .subject = { $address } is switched off
    .heading = Your address is switched off
    .body =
        { $reason }

        Mail to { $address } is now rejected, and senders get an error message.
member-destination =
    .subject = Mail to { $address } does not reach you
    .heading = Mail to { $address } does not reach you
    .body =
        The mail server that { $address } forwards to rejects mail for you. Its answer was { $reply }. Until this is fixed, mail to { $address } does not reach you.

        Please check that mailbox: it may be full, or no longer yours. If you cannot fix it, reply to this mail and we will help.

member-refused-message =
    .subject = Some mail to { $address } did not reach you
    .heading = Some mail to { $address } did not reach you
    .body =
        The mail server that { $address } forwards to refused a message for you. Its answer was { $reply }. Usually such a message looked like spam or was too large, and other mail still reaches you.

        If you miss something, ask the sender to write to you at another address, or reply to this mail and we will help.

member-linked =
    .subject = Your two sign-ins are now one account
    .heading = Your two sign-ins are now one account
    .body =
        You signed in to { $community } mail with two different { $provider } accounts. Both belong to the same person, so they are now one account here. We are sending this mail to both sign-in addresses.

        You see all of your addresses with either sign-in. Each address keeps forwarding to the same mailbox as before. You don’t need to do anything.

        If this was not you, or if the other sign-in is not yours, please reply to this mail. We will look into it with you and can undo it.

role-appointed =
    .subject = You are an admin of { $domain } now
    .heading = You are an admin of { $domain } now
    .body =
        You may manage { $domain } in the admin console, and you get the mail to its admins, such as a list of changed addresses.

        If you do not want this, or if you think that it is a mistake, please reply to this mail.

        This is what you may do there:
role-changed =
    .subject = Your permissions for { $domain } have changed
    .heading = Your permissions for { $domain } have changed
    .body = This is what you may do in the admin console of { $domain } now:
role-removed =
    .subject = You are no longer an admin of { $domain }
    .heading = You are no longer an admin of { $domain }
    .body =
        Its pages in the admin console are closed to you, and you no longer get the mail to its admins. Your own addresses stay as they are.

        If you think that this is a mistake, please reply to this mail.
role-console = Open the admin console
role-view = View
    .allows = see the pages of the domain and check its DNS records
role-decide = Decide
    .allows = release and reject held syncs, restore addresses, reserve names
role-ban = Ban
    .allows = ban members and lift bans
role-appoint = Appoint
    .allows = appoint and remove admins

# Why, in one sentence.
reason-eligible = You are eligible again.
reason-loop = Your address would forward to itself, because the e-mail address that you sign in with is in a domain of the { $community } community.
reason-not-in-team = You are no longer a member of the team for { $domain }.
reason-not-valid = Your { $source } account is no longer valid.
reason-deactivated = Your { $source } account is deactivated.
reason-account-suspended = Your { $source } account is suspended.
reason-account-closed = Your { $source } account is closed.
reason-no-preferred-address = Your { $source } account has no preferred e-mail address.
reason-code-of-conduct-withdrawn = Your { $source } account no longer has a signed Code of Conduct.
reason-banned = An admin of { $community } mail has blocked your account.
reason-ban-lifted = Your account is no longer blocked.
reason-domain-retired = The { $community } community is giving up { $domain }, so all addresses there will end.
reason-unassigned = We don’t know yet who this address belongs to.
reason-deleted = You deleted this address.
reason-returning = You restored this address.
reason-erased = You erased your data.

# In mails and on the account page, in the words of the admin or operator.
ban-reason = Reason: { $comment }

# The next step, for the same reasons.
next-eligible = You don’t need to do anything.
next-loop = Choose another e-mail address at { $provider }, then sign in again.
next-not-in-team = If this is a mistake, please contact the admins of the team. Once you are a member again, open your addresses and press “{ check-again }”. Everything will then work as before.
next-not-valid = Your { $source } profile shows what is missing. Once that is fixed, open your addresses and press “{ check-again }”. Everything will then work as before. If you are stuck, reply to this mail.
next-deactivated = To keep using the address, log in to { $source } and reactivate your account. Then open your addresses and press “{ check-again }”. Everything will then work as before.
next-account-suspended = Only { $source }’s administrators can change this, so please contact them. Once your account is active again, open your addresses and press “{ check-again }”. Everything will then work as before.
next-account-closed = A closed account cannot be reopened. If you have another { $source } account now, sign in with it, then reply to this mail. We can link your address to it.
next-no-preferred-address = Choose a preferred e-mail address on { $source }. Then open your addresses and press “{ check-again }”. Everything will then work as before.
next-code-of-conduct-withdrawn = Sign the Code of Conduct on { $source }. Then open your addresses and press “{ check-again }”. Everything will then work as before.
next-banned = If you think this is a mistake, please reply to this mail.
next-ban-lifted = Your address will be back within a few hours. To get it back now, open your addresses and press “{ check-again }”.
next-domain-retired = Please give people another address of yours before then. If you have an address in another domain of the community, it is not affected.
next-unassigned = If it is yours, please reply to this mail.
next-deleted = You can restore it on your page for 30 days. After that it is gone for good.
next-returning = We are checking your membership now. Once we know that you are a member, everything works as before.
next-erased = If you want to use the address again one day, sign in again.

## About the mailboxes of a member

member-deleted =
    .subject = You deleted { $address }
    .heading = Your address is deleted
    .body =
        You deleted { $address }. Mail to it is now rejected, and senders get an error message.

        You can restore it on your page until { $until }. After that it is gone for good, and no other member will ever get it.

        If this was not you, restore the address, end all sessions on your page, and reply to this mail.
member-unconfirmed =
    .subject = { $address } is yours: please confirm your mailbox
    .heading = Please confirm your mailbox
    .body =
        { $address } is yours. Before we forward mail to this mailbox, please confirm that the mailbox is yours: open your addresses, let us send you a code, and type it in there.

        Until then, mail to { $address } does not reach you. At first it waits at the senders’ mail servers. After three days it is rejected, and senders get an error message.
member-one-destination =
    .subject = A mailbox of { $address } rejects mail
    .heading = A mailbox of { $address } rejects mail
    .body =
        { $address } forwards to several mailboxes, and one of them rejects mail. The answer of its mail server was { $reply }. The others get your mail as before.

        Please check that mailbox: it may be full, or no longer yours. You can also remove it on your page. If you are stuck, reply to this mail and we will help.
member-failing =
    .subject = A mailbox of { $address } no longer gets mail
    .heading = A mailbox of { $address } no longer gets mail
    .body =
        One of the mailboxes that { $address } forwards to has rejected mail since { $since }. The last answer of its mail server was { $reply }.

        Your page shows which one it is. Please check it: it may be full, or no longer yours. You can also choose another mailbox for your addresses there. If you are stuck, reply to this mail and we will help.
member-test =
    .subject = Test message to { $address }
    .heading = Your test message has arrived
    .body = You asked for this message on your page. We sent it to { $address }, and it was forwarded in the same way as all other mail. So mail to this address reaches this mailbox.

destination-code =
    .subject = Confirm your mailbox for { $community } mail
    .heading = Confirm your mailbox
    .body =
        Somebody asked us to forward their { $community } mail to this mailbox. If that was you, type this code into your page, or open the page below and confirm it there. The code is valid for 30 minutes, until { $time } UTC.
    .label = Your code
    .after = If this was not you, ignore this mail: without the code nothing happens.
    .button = Confirm this mailbox
    .footer = You get this mail because somebody entered this address at { $community } mail. If you get such mails again and again, reply to this one.
destination-requested =
    .subject = A mailbox is being added to your { $community } mail
    .heading = A mailbox is being added
    .body =
        On { $date } at { $time } UTC, you asked to add another mailbox to your { $community } mail. Nothing has changed yet: mail is forwarded there only after you type in the code that we have sent to it.

        If this was not you, somebody else is signed in to your account. Open your addresses, end all sessions there, and check your account at { $provider }. If you are stuck, reply to this mail.
destination-confirmed =
    .subject = A mailbox was added to your { $community } mail
    .heading = A mailbox was added
    .body = On { $date } at { $time } UTC, another mailbox was confirmed for your { $community } mail. Your addresses can forward to it now.
destination-removed =
    .subject = A mailbox was removed from your { $community } mail
    .heading = A mailbox was removed
    .body = On { $date } at { $time } UTC, a mailbox was removed from your { $community } mail. None of your addresses forwards to it any more.
destination-redirected =
    .subject = { $address } forwards to other mailboxes
    .heading = { $address } forwards to other mailboxes
    .body = On { $date } at { $time } UTC, other mailboxes were chosen for { $address }.
destination-reverted =
    .subject = A change of your { $community } mail was reverted
    .heading = A change was reverted
    .body =
        On { $date } at { $time } UTC, a change of your mailboxes was reverted by a code from one of our mails. Your addresses forward to where they did before, and all sessions were ended.

        Please sign in again and check your mailboxes. Check your account at { $provider } as well: somebody else may be able to sign in as you.
account-added =
    .subject = An account was added to your { $community } mail
    .heading = An account was added
    .body =
        On { $date } at { $time } UTC, an account at { $account } was added to your { $community } mail. You can sign in with it now.

        If this was not you, open your addresses, remove the account and end all sessions. If you cannot do that, reply to this message.
account-removed =
    .subject = An account was removed from your { $community } mail
    .heading = An account was removed
    .body =
        On { $date } at { $time } UTC, an account at { $account } was removed from your { $community } mail. It can no longer be used to sign in to your addresses, and all other sessions were ended.

        If this was not you, reply to this message. We will help you.
destination-undo =
    .body =
        If this was you, you don’t need to do anything.

        If this was not you, open the page below and type in this code. That reverts the change and ends all sessions. It works until { $date }, { $time } UTC.
    .label = Code for “This was not me”
    .button = This was not me
destination-no-undo = If this was not you, open your addresses, end all sessions there, and reply to this mail. We will help you.

## To the admins of a domain

digest =
    .subject = { $count ->
        [one] One change at { $domain }
       *[other] { $number } changes at { $domain }
    }
    .heading = What changed at { $domain }
    .body = This is for your information only. You don’t need to do anything.
digest-show = Show all changes
digest-others = Further changes
news-created = new
news-restored = restored
news-loop = switched off: it would forward to itself
news-removed-eligible = switched off
news-removed-not-in-team = switched off: no longer in the team
news-removed-not-valid = switched off: the { $source } account is not valid
news-removed-deactivated = switched off: the { $source } account is deactivated
news-removed-account-suspended = switched off: the { $source } account is suspended
news-removed-account-closed = switched off: the { $source } account is closed
news-removed-no-preferred-address = switched off: the { $source } account has no preferred e-mail address
news-removed-code-of-conduct-withdrawn = switched off: the Code of Conduct is no longer signed
news-removed-domain-retired = switched off: the domain is retired
news-removed-unassigned = switched off: the owner is not known
news-removed-deleted = switched off: deleted by its member
news-removed-returning = switched off: restored by its member, to be checked
news-removed-erased = switched off: its member erased their data
news-removed-banned = switched off: the account is blocked
news-removed-ban-lifted = switched off until the next sync
count-created = New
count-restored = Restored
count-loop = Switched off because of a forwarding loop
count-removed = Switched off
count-failing = Addresses with mail that was not delivered in the last 14 days
no-admin = You get this mail as an operator because { $domain } has no admin who can act. An admin must be bound to the domain and have a valid { $source } account and an active address.
no-admin-documented = The community file lists these admins: { $names }. A name alone grants nothing, so please bind the members.
no-admin-bind = Bind an admin

held =
    .subject = A sync of { $domain } needs your decision
    .heading = A sync of { $domain } needs your decision
    .body =
        This sync would change more addresses than is allowed without approval. Nothing has been changed so far, except for bans.

        Please review the planned changes, then release or reject the sync:
held-many-grants = Too many grants within 24 hours
held-many-removals = Too many removals within 24 hours
held-many-suspensions = Too many grace periods that end within 24 hours
held-many-retirements = Too many data deletions within 24 hours
held-of = { $count } against { $of } existing addresses
held-active = Active addresses
held-create = To be created
held-rename = To be renamed
held-restore = To be restored
held-leave = To end after the grace period
held-suspend = To be switched off
held-retire = To have their data deleted
held-unverified = Not verified yet
held-show = Show the planned changes
held-release = Release the sync
held-reject = Reject the sync

release-resent =
    .subject = A released sync of { $domain } was started again
    .heading = A released sync of { $domain } was started again
    .body =
        This sync was released, but the message that starts it was lost. We have sent it again, so you don’t need to do anything. If the sync is not applied within a few hours, please ask the operators to check the queues.

        Show the sync:

domain-verified =
    .subject = { $domain } is verified
    .heading = { $domain } is verified
    .body = The domain belongs to the { $community } community, so members get addresses there from now on.
domain-record-gone =
    .subject = The DNS record of { $domain } is missing
    .heading = The DNS record of { $domain } is missing
    .body =
        The TXT record that proves that { $domain } belongs to the { $community } community is missing. Members still get new addresses there until { $until }. Existing addresses are not affected.

        Please add the record again. This command shows it:
domain-lapsed =
    .subject = { $domain } gets no new addresses
    .heading = { $domain } gets no new addresses
    .body =
        The TXT record that proves that { $domain } belongs to the { $community } community has been missing for too long. Existing addresses keep working. Members get new ones again once the record is back.

        Please add the record again. This command shows it:
domain-restored =
    .subject = The DNS record of { $domain } is back
    .heading = The DNS record of { $domain } is back
    .body = The record proves again that { $domain } belongs to the { $community } community. Members get new addresses there as before.
domain-unverified =
    .subject = { $domain } must be verified again
    .heading = { $domain } must be verified again
    .body =
        An operator withdrew the verification of { $domain }. From now on, its DNS record decides whether members get new addresses there. Existing addresses are not affected.

        This command shows the record:
domain-unlisted =
    .subject = { $domain } is missing from the community file
    .heading = { $domain } is missing from the community file
    .body =
        { $domain } is in the table, but no longer in the community file. Its addresses keep forwarding, but no member gets a new one there. No address ends until an operator decides so.

        If this is a mistake, add the domain to the file again. If the { $community } community is giving the domain up, retire it. Without further options, this command is a dry run:
domain-retire = Retire the domain
domain-retiring =
    .subject = { $domain } is being retired; its addresses end on { $until }
    .heading = { $domain } is being retired
    .body =
        An operator is retiring { $domain }. Its addresses keep forwarding until { $until }, and every member is notified. After that, mail is rejected and senders get an error message.

        Until then, an operator can still cancel this.
domain-retirement-cancelled =
    .subject = { $domain } stays
    .heading = { $domain } stays
    .body = An operator cancelled the retirement of { $domain }. Its addresses work as before, and the members are notified.
domain-show = Show the record
domain-open = Open the page of the domain

## To the operators

failure =
    .subject = { $step } failed: { $error }
    .heading = { $step } failed
    .body = A message failed permanently and will not be retried. It is in the dead-letter queue, from where you can redrive it.
failure-refused =
    .subject = A notice was rejected: { $reply }
    .heading = A notice was rejected
    .body = The mail server permanently rejected a notice. It will not be sent again.
failure-counted = { $count ->
    [one] The same error occurred once more since the last mail about it.
   *[other] The same error occurred { $count } more times since the last mail about it.
}
failure-quiet = If it occurs again within { $hours ->
    [one] an hour
   *[other] { $hours } hours
}, we only count it. The next mail gives the count.
failure-member = { $source } name
failure-step = Step
failure-error = Error
failure-cause = Cause
failure-request = Request id
failure-no-member = not about a single member

## Around every page

language = English
languages = Language
skip = Skip to the content
sign-out = Sign out
# A link stands for { $link }.
help = Questions? { $link }.
help-link = Find help in the { $community } community
status-link = Service status

## Buttons of pages

sign-in = Sign in with { $provider }
sign-in-again = Sign in again
check-again = Check again
try-again = Try again
go-to-start = Go to the start page
go-to-addresses = Go to your addresses
log-in-to-source = Log in to { $source }
ask-source = Ask { $source }
set-source-address = Set your address on { $source }
sign-code-of-conduct = Read and sign the Code of Conduct

## The page for visitors

welcome =
    .title = Your address
    .text = Members of { $community } get an address at the domains of their teams. Mail to it is forwarded to the address that you sign in with.
    .domains = Who gets which address
# `welcome-unbroken` stands for { $unbroken }; there is no line break in it.
welcome-heading = Your { $community } { $unbroken } address
welcome-unbroken = e-mail
# A link stands for { $team }.
welcome-team = members of { $team }

## The account page: the last check

check-pending =
    .heading = Checking your membership
    .text = We are asking { $source } about your account and your teams. This takes a few seconds.
check-delayed =
    .heading = { $source } is not answering
    .text = We keep trying and create your address as soon as { $source } answers. You can close this page and come back later.
check-given-up =
    .heading = We could not check your membership
    .text = { $source } did not answer for a day, so we stopped trying. Your addresses have not changed. Please check again.
check-never =
    .heading = We have not checked your membership yet
    .text = Check it now to get your addresses.
outcome-banned =
    .heading = Your account is blocked
    .text = An admin of { $community } mail blocked it. If you think this is a mistake, ask for help below.
outcome-unknown =
    .heading = You have no { $source } account yet
    .text = Your { $provider } sign-in has no { $source } account. Log in to { $source } once to create one, then check again.
outcome-never-activated =
    .heading = Activate your { $source } account first
    .text = Your user name is reserved at { $provider }, but you have never logged in to { $source }. Log in there once, then check again.
outcome-deactivated =
    .heading = Your { $source } account is deactivated
    .text = Log in to { $source } to activate it, then check again.
outcome-suspended =
    .heading = Your { $source } account is suspended
    .text = A { $source } administrator suspended it. Ask { $source } why. Once it is active again, check again.
outcome-no-preferred-address =
    .heading = Your { $source } account has no e-mail address
    .text = Set a preferred e-mail address on { $source }, then check again.
outcome-closed =
    .heading = Your { $source } account is closed
    .text = Closed accounts get no addresses. If you have a new account with the same { $provider } sign-in, check again. If you did not close it, ask for help below.
outcome-not-valid =
    .heading = Your { $source } account is not active
    .text = { $source } does not say why. Ask { $source } about it. Once it is active again, check again.
outcome-code-of-conduct-unsigned =
    .heading = Sign the Code of Conduct first
    .text = { $community } addresses are for people who have signed it. Sign it, then check again.
outcome-no-team =
    .heading = You are not in any of the teams yet
    .text = Members of the { $community } teams get an address. Once you have joined one, check again.
outcome-teams-unavailable =
    .heading = We cannot check your membership right now
    .text = One of the { $community } teams needs to be fixed first. That is our job, not yours. Please check again later.
outcome-eligible =
    .heading = Your addresses
    .text = You are a verified member of { $community }.
outcome-eligible-hint = Did you join another team or change your name on { $source }?

## The account page: addresses

address-active =
    .state = { $address } now forwards to { $destination }
    .advice = To try it, ask someone to write to it, or write to it from another address.
address-leaving =
    .state = { $address } still forwards to { $destination }, and ends on { $date }
    .soon = { $address } still forwards to { $destination }, and ends soon
address-loop =
    .state = Switched off because mail would loop
    .advice = The e-mail address that you sign in with is one of this community's own addresses. Add another mailbox below, or choose another address at { $provider } and sign in again.
address-banned =
    .state = Switched off because your account is blocked
address-off =
    .state = Switched off since { $date }
    .advice = { $reason } The address stays yours.
address-failing =
    .state = Some mail to { $address } did not reach you
address-creating =
    .state = Your address is being created
destination-none = nowhere

# Why an address does not work or ends, and what to do.
advice-eligible = Check again to bring it back.
advice-loop = { advice-eligible }
advice-not-in-team = You are no longer in the team of this domain. Once you are back, check again.
advice-not-valid = Your { $source } account is not active. Once it is, check again.
advice-deactivated = Your { $source } account is deactivated. Log in to { $source } to activate it, then check again.
advice-account-suspended = Your { $source } account is suspended. Once it is active, check again.
advice-account-closed = Your { $source } account is closed. Once you have a new one, check again.
advice-no-preferred-address = Your { $source } account has no preferred e-mail address. Set one on { $source }, then check again.
advice-code-of-conduct-withdrawn = Your signature of the Code of Conduct is missing. Sign it, then check again.
advice-banned = Ask for help below.
advice-ban-lifted = It comes back within hours, or when you check again.
advice-domain-retired = The community is giving up this domain, so all of its addresses end. Give people another address in time.
advice-unassigned = { advice-eligible }
advice-deleted = You deleted it. You can restore it for 30 days.
advice-returning = You restored it. It comes back once your membership is checked.
advice-erased = You erased your data. Check again to bring it back.

# Mail that was not delivered; { $when } is one of the first two.
undelivered-once = on { $date }
undelivered-often = first on { $first }, last on { $last }
undelivered-mailbox = The mail server of { $destination } refused mail for you ({ $when }; status { $status }). Please check that mailbox: it may be full, or no longer yours. If you cannot fix it, ask for help below.
undelivered-message = The mail server of { $destination } refused some mail ({ $when }; status { $status }), for example because it looked like spam or was too large. Other mail still reaches you. If you miss something, ask for help below.
undelivered-unreachable = The mail server of { $destination } did not accept mail for days ({ $when }; status { $status }). Please check that mailbox, or ask for help below.

# Why a domain gives no address.
refusal-taken =
    .state = This address belongs to someone else
    .advice = Addresses are never passed on. With another { $source } name, you get another address.
refusal-domain-not-verified =
    .state = This domain is not open for addresses yet
    .advice = { $community } still has to finish setting it up. Please check again later.
refusal-team-unavailable =
    .state = We cannot check the team of this domain right now
    .advice = The team needs to be fixed first. That is our job, not yours. Please check again later.
refusal-domain-retired =
    .state = This domain no longer offers addresses
    .advice = { $community } is giving it up. You don’t need to do anything.
refusal-too-many =
    .state = You have the maximum number of addresses here
    .advice = You keep the ones you have. If you need another one, ask for help below.
change-name = Change your name on { $source }, then check again.
name-sub-address =
    .state = Your { $source } name contains a +
    .advice = Mail to { $tagged } belongs to the owner of { $plain }. { change-name }
name-not-chosen =
    .state = Your { $source } name was assigned automatically
    .advice = { $source } gives such names to merged, deactivated and closed accounts. { change-name }
name-reserved =
    .state = Your { $source } name is reserved for the admins of the domain
    .advice = { change-name }
name-too-long =
    .state = Your { $source } name is too long for an address
    .advice = At most { $max } characters fit before the @. { change-name }
name-not-a-dot-atom =
    .state = Your { $source } name is not allowed in an address
    .advice = It cannot end with a dot or have two dots in a row. { change-name }

## A sign-in that failed

sign-in-cancelled =
    .heading = You cancelled the sign-in
    .text = Nothing has changed. You can sign in at any time.
invalid-link =
    .heading = This link does not work any more
    .text = No account was added. Please open your identities and choose the account again.
link-session-ended =
    .heading = You are not signed in any more
    .text = No account was added. Please sign in, then add it again.
signed-out =
    .heading = You are signed out
    .text = You may still be signed in at { $provider }. On a shared computer, sign out there too.
    .button = Sign out at { $provider }
sign-in-setup-needed =
    .heading = Please confirm the sign-in at { $provider }
    .text = { $provider } needs your confirmation first. Please sign in again and confirm it there.
sign-in-provider-error =
    .heading = { $provider } reports an error
    .text = Nothing has changed. Please sign in again in a few minutes. If it happens again, ask for help below.
sign-in-no-email =
    .heading = { $provider } did not share your e-mail address
    .text = We forward your mail to that address, so we need it. Please sign in again and tick “Email address” on the page where { $provider } asks what to share.
sign-in-bad-email =
    .heading = We cannot forward mail to your e-mail address
    .text = { $reason } Please choose another e-mail address in your { $provider } account, then sign in again.
bad-email-syntax = The e-mail address from { $provider } has no @.
bad-email-local-part = The e-mail address from { $provider } has characters before the @ that not every mail server accepts.
bad-email-domain = The e-mail address from { $provider } does not end in a domain name such as example.org.
bad-email-too-long = The e-mail address from { $provider } is too long.
sign-in-too-late =
    .heading = The sign-in took too long
    .text = Please sign in again and finish within a few minutes. Nothing has changed.
sign-in-refused =
    .heading = We could not accept the sign-in
    .text = The response from { $provider } was incomplete or altered. Nothing has changed. Please sign in again. If it happens again, ask for help below.
sign-in-other-browser =
    .heading = This sign-in did not start in this browser
    .text = A sign-in must start and end in the same browser, with cookies enabled. Please sign in again.
sign-in-replayed =
    .heading = This sign-in was already used
    .text = The page may have been loaded twice. If you are not signed in, please sign in again.
sign-in-forged =
    .heading = { $provider } did not confirm the sign-in
    .text = { $provider } says that this response is not its own. Nothing has changed. Please sign in again.
sign-in-rejected =
    .heading = { $provider } could not check the sign-in
    .text = The response may have been damaged in transit. Nothing has changed. Please sign in again.
sign-in-timed-out =
    .heading = { $provider } did not answer in time
    .text = Nothing has changed. Please sign in again.
sign-in-unavailable =
    .heading = { $provider } is not available
    .text = Nothing has changed. Please sign in again in a few minutes.

## Other messages of pages

failed =
    .heading = Something went wrong
    .text = This is our fault, and nothing is lost. Please try again in a minute.
account-failed =
    .heading = Something went wrong
    .text = We cannot show your addresses right now. Mail to them still works. Please try again in a minute.
not-found =
    .heading = This page does not exist
    .text = The link may be old or mistyped.
read-only =
    .heading = This page is read-only
    .text = Nothing has changed.
use-the-button =
    .heading = Please use the button
    .text = Nothing has changed. Go to the start page and press the button there.
invalid-form-text = The form has expired or is not from this site. Please go to your addresses and try again there.
invalid-sign-out =
    .heading = You were not signed out
    .text = { invalid-form-text }
invalid-check =
    .heading = No check was started
    .text = { invalid-form-text }
invalid-language =
    .heading = The language was not changed
    .text = { invalid-form-text }

## Self-service: the forms of the account page

# A time in UTC.
moment = { $date }, { $time } UTC
manage = Change this address
choose =
    .legend = Forward mail to
    .button = Save
pause =
    .hint = Pause it if you want no mail there for a while. Senders are told; nothing disappears silently.
    .temporary = Pause: senders try again for some days
    .permanent = Pause: senders get an error at once
    .resume = Resume
test-button = Send me a test message
test-requested = You requested a test message on { $moment }. It is on its way.
test-sent = Your test message was sent on { $moment }. If it is not in your mailbox within a few minutes, look in the spam folder.
test-rejected = Your test message was not accepted (status { $status }). Ask for help below.
test-failed = Your test message did not arrive: the mail server of { $destination } refused it (status { $status }).
delete =
    .hint = If you delete it, mail to it is refused at once. You can restore it for 30 days, and nobody else ever gets it.
    .button = Delete this address
    .restore = Restore this address
mailboxes =
    .heading = Your mailboxes
    .text = Your addresses forward to mailboxes that you confirmed.
    .add = Add a mailbox
    .label = E-mail address of the mailbox
    .replaces = Once it is confirmed, forward all of my addresses there and nowhere else
    .add-hint = We send a code to it. Nothing changes until you enter that code here.
    .send = Send me a code
    .resend = Send a new code
    .remove = Remove
mailbox-confirmed =
    .state = Confirmed on { $date }
    .provider = Confirmed by { $provider } on { $date }
mailbox-pending =
    .state = Waits for your code until { $until }
    .advice = We sent a code to this mailbox. Enter it here. You have { $left ->
        [one] one attempt
       *[other] { $left } attempts
    } left.
    .replaces = We sent a code to this mailbox. Enter it here, and all of your addresses forward there and nowhere else. You have { $left ->
        [one] one attempt
       *[other] { $left } attempts
    } left.
mailbox-unconfirmed =
    .state = Not confirmed yet
    .advice = No mail goes there until you confirm it. We send a code to it, which you enter here.
mailbox-failing =
    .state = This mailbox rejects mail
code-label = Code from the mail
code-button = Confirm this mailbox
more =
    .label = More about your account

## Self-service: the state of an address

address-unconfirmed =
    .state = { $address } waits until you confirm a mailbox
    .advice = Until { $until } we ask senders to try again later; after that, mail is refused. Confirm your mailbox below.
address-unconfirmed-late =
    .state = { $address } refuses mail, because no mailbox is confirmed
    .advice = Confirm your mailbox below. The time for it ended on { $until }, but the address stays yours.
address-paused =
    .state = You paused { $address }
    .advice = Senders are asked to try again later. Most give up after some days.
address-paused-permanently =
    .state = You paused { $address }
    .advice = Senders get an error message at once.
address-ends = It ends on { $date }.
address-deleted =
    .state = You deleted this address
    .advice = Mail to it is refused. You can restore it until { $date }, and nobody else ever gets it.
    .late = Mail to it is refused, and it can no longer be restored. Nobody else ever gets it.
address-returning =
    .state = Your address is coming back

## Self-service: other pages

confirm =
    .heading = Confirm this mailbox
    .text = Press the button, and your addresses can forward to { $mailbox }.
    .replaces = Press the button, and all of your addresses forward to { $mailbox } and nowhere else.
undo =
    .heading = This was not you?
    .text = On { $at }, the mailboxes of an account were changed. If you did not do that, enter the code from the mail by { $until }. Then the change is reverted, and everyone is signed out.
    .label = Code from the mail
    .button = Revert the change
sessions =
    .heading = Your sessions
    .text = Each browser in which you signed in has a session.
    .this-browser = This browser
    .end = Sign out there
    .end-all-hint = This also makes codes void that you have not entered yet.
    .end-all = Sign out everywhere
session-created = Signed in on { $moment }
session-last-seen = Last used on { $moment }
identities =
    .heading = Your sign-in accounts
    .text = You can sign in to your addresses with each of these accounts.
    .adding = Your account is being added. Reload this page in a moment. Your history shows what happened.
    .removed = The account was removed, and all other sessions were ended.
    .remove = Remove
    .remove-hint = After you remove an account, it can no longer be used to sign in to your addresses, and all your other sessions end. The addresses stay yours.
    .last = You need one account to sign in, so you cannot remove this one.
    .add = Add an account
    .add-hint = Sign in there once with the account that you want to add. If that account already has addresses here, they join yours.
    .sign-in-first = For your safety, this needs a sign-in within the last 10 minutes.
    .full = You have as many accounts as you can. Remove one to add another.
identity-name = Name there: { $name }
identity-id = Identifier: { $id }
identity-since = Added on { $date }
identity-add = Add another account at { $account }
identity-add-former = Add your account at { $account }
identity-last =
    .heading = This account cannot be removed
    .text = You need one account to sign in. Add another one first.
history =
    .heading = Your history
    .text = What happened to your addresses and your account, and who did it.
    .empty = Nothing has happened yet.
history-by-member = You
history-by-sync = The sync with the team
history-by-domain-check = The check of the domain
history-by-operator = An operator
history-by-admin = An admin
history-created = You got { $address }.
history-renamed = You got { $address } after { $former }.
history-restored = { $address } works again.
history-leaving = { $address } ends on { $date }. { $reason }
history-suspended = { $address } was switched off. { $reason }
history-deleted = { $address } was deleted.
history-returning = { $address } was restored and waits for a check.
history-retired = { $address } ended for good.
history-paused = { $address } was paused: senders try again later.
history-paused-permanently = { $address } was paused: senders get an error.
history-resumed = { $address } was resumed.
history-restore-requested = A check was requested to bring back { $address }.
history-redirected = { $address } forwards to other mailboxes.
history-former-mailbox = a mailbox that is no longer on your list
history-code-requested = A code was sent to { $mailbox }.
history-mailbox-confirmed = Confirmed: { $mailbox }.
history-mailbox-removed = Removed: { $mailbox }.
history-mailbox-reverted = The owner of another mailbox reverted a change about { $mailbox }. Everyone was signed out.
history-banned = The account was blocked.
history-unbanned = The account was unblocked.
history-erased = The personal data was erased.
history-imported = The account was copied after a restore.
history-sessions-ended = Signed out everywhere.
history-exported = The data was exported.
history-linked = Two sign-ins became one account.
history-unlinked = Two sign-ins became separate accounts again.
history-identity-added = An account was added to sign in with.
history-identity-removed = An account was removed. All other sessions were ended.
history-limit = You can have { $limit } addresses at { $domain }.
history-limit-removed = The usual number of addresses at { $domain } applies again.
history-admin-added = You became an admin of { $domain }.
history-admin-removed = You are no longer an admin of { $domain }.
history-admin-changed = You may do other things as an admin of { $domain }.
export =
    .heading = Your data
    .text = This is everything that we store about you.
    .button = Download as JSON
    .sign-in = Sign-in address
    .addresses = Addresses
    .mailboxes = Mailboxes
    .sessions = Sessions
    .rest = Everything, as in the file
erase =
    .heading = Erase your data
    .text = We erase your mailboxes, your sign-in address and everything else about you that is not needed to keep your addresses reserved. Your addresses then refuse mail, and nobody else ever gets them. This cannot be undone.
    .type = To erase everything, type { $word } here
    .word = ERASE
    .button = Erase everything
erased =
    .heading = Your data is erased
    .text = This is your receipt of { $moment }.
    .addresses = These addresses refuse mail now and stay reserved:
    .none = You had no addresses.
    .kept = We keep a record without e-mail addresses of what happened to your addresses. If you sign in again one day, you start afresh.

## Self-service: what was not done

invalid-form =
    .heading = Nothing has changed
    .text = { invalid-form-text }
form-too-large =
    .heading = That is too long
    .text = Nothing has changed. Please enter less.
sign-in-first =
    .heading = Please sign in again first
    .text = For your safety, this change needs a sign-in within the last 10 minutes. Nothing has changed. Sign in again, then repeat it.
erased-account =
    .heading = Your data is erased
    .text = Nothing has changed. Sign in again to start afresh.
too-many-requests =
    .heading = Please wait a while
    .text = That was too often in a short time. Nothing has changed. Please try again later.
bad-mailbox =
    .heading = We cannot forward mail to this mailbox
    .text = { $reason } Nothing has changed.
bad-mailbox-syntax = An e-mail address has an @.
bad-mailbox-local-part = The part before the @ has characters that not every mail server accepts.
bad-mailbox-smtputf8 = The part before the @ has letters outside of ASCII (SMTPUTF8). Many mail servers refuse such addresses, so mail would get lost on the way.
bad-mailbox-domain = The part after the @ is not a domain name such as example.org.
bad-mailbox-too-long = The address is too long.
bad-mailbox-community = It is in one of the { $community } domains, so mail would come back to us.
bad-mailbox-mail-host = It is in a domain of our mail server, so mail would come back to us.
bad-mailbox-null-mx = Its domain states that it accepts no mail (null MX).
too-many-mailboxes =
    .heading = You have the maximum number of mailboxes
    .text = Nothing has changed. Remove one that you no longer need, then add the new one.
mailbox-missing =
    .heading = This mailbox is not on your list
    .text = Nothing has changed. It may have been removed meanwhile.
mailbox-needed =
    .heading = This mailbox is still needed
    .text = Nothing has changed. These addresses forward only there: { $addresses }. Choose another mailbox for them first.
code-malformed =
    .heading = That is not a code
    .text = A code has eight letters and digits, such as BCDF-2345. Your attempt was not counted.
code-wrong =
    .heading = That code is not right
    .text = Please compare it with the latest mail. { $left ->
        [0] That was the last attempt, so please request a new code.
        [one] You have one attempt left.
       *[other] You have { $left } attempts left.
    }
code-expired =
    .heading = This code is no longer valid
    .text = A code is valid for 30 minutes and five attempts, and until you sign out everywhere. Please request a new one.
confirm-sign-in =
    .heading = Please sign in first
    .text = Sign in in this browser, then open the link from the mail again. Nothing has changed.
mailbox-already-confirmed =
    .heading = This mailbox is confirmed
    .text = You don’t need to do anything.
address-missing =
    .heading = This does not work with this address
    .text = Nothing has changed. The address is not on your list, or its state has changed meanwhile.
choice-stale =
    .heading = The address has changed meanwhile
    .text = Nothing was saved. Look at your addresses, then choose again.
choice-unsuitable =
    .heading = Please choose one to five mailboxes
    .text = Nothing was saved. An address forwards to at least one and at most five mailboxes that you confirmed.
undo-invalid =
    .heading = This change cannot be reverted
    .text = The link may be mistyped, more than 72 hours old, or tried too often. If the change was not yours, ask for help below.
undo-wrong =
    .heading = That code is not right
    .text = Nothing has changed. Open the link from the mail again, and type the code of the same mail.
undo-done =
    .heading = The change is reverted
    .text = Your addresses forward as before, and everyone is signed out. Change your password at { $provider } now, then sign in and look at your history.
erase-not-confirmed =
    .heading = Nothing was erased
    .text = The word did not match. Go back and type it exactly as shown.

# The public status page. It is the same for all visitors.

status =
    .heading = Service status
    .about = This page shows whether the parts of { service } work, now and in the last { $days } days. It is updated every few minutes. Days and times are in UTC.
    .operational = Everything works.
    .failing = Some parts have problems.
    .unknown = Some parts were not checked recently.
    .ago = { $days } days ago
    .today = today
    .uptime = { $percent }% of the checks in the last { $days } days succeeded.
    .no-checks = No checks in the last { $days } days.
    .checked = Last check: { $time }
    .troubled = Days with problems ({ $count })
    .day = { $date }: { $failed } of { $samples } checks failed
    .json = The same data as JSON
# The decimal separator of a percentage.
status-decimal = .
status-states =
    .operational = Works
    .failing = Has problems
    .unknown = Not checked recently
status-sign-in =
    .name = Sign-in
    .text = This site, and the sign-in with { $provider }
status-syncs =
    .name = Syncs
    .text = Changes of teams at { $source } reach the addresses
status-domain-checks =
    .name = Domain checks
    .text = The DNS records of our domains are checked
status-mail =
    .name = Mail
    .text = A test mail to one of our addresses arrives

# Texts of the admin console.

admin-overview =
    .heading = Your domains
    .text = You are an admin of these domains.
admin-permissions =
    .view = view
    .decide = decide on syncs
    .ban = ban members
    .appoint = appoint admins
admin-list-separator = ,{ " " }
admin-navigation = Pages of the domain
admin-all-domains = All domains
admin-back = Back to the domain
admin-sections =
    .domain = Domain
admin-nowhere =
    .heading = You are not an admin
    .text = These pages are for the admins of a domain. An admin needs an active address, and a valid account at { $source }.
admin-not-here =
    .heading = You are not an admin of this domain
    .text = Nothing has changed. Only an admin of the domain can open this page.
admin-no-permission =
    .heading = You do not have this permission
    .text = Nothing has changed. Ask an admin who can appoint others, or the operators, if you need it.

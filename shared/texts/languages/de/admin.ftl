# Texte der Adminseiten.

admin-overview =
    .heading = Deine Domains
    .text = Du bist Admin dieser Domains.
admin-permissions =
    .view = ansehen
    .decide = über Abgleiche entscheiden
    .ban = Mitglieder sperren
    .appoint = Admins ernennen
admin-list-separator = ,{ " " }
admin-navigation = Seiten der Domain
admin-all-domains = Alle Domains
admin-back = Zurück zur Domain
admin-sections =
    .domain = Domain
admin-nowhere =
    .heading = Du bist kein Admin
    .text = Diese Seiten sind für die Admins einer Domain. Admins brauchen eine aktive Adresse und ein gültiges Konto bei { $source }.
admin-not-here =
    .heading = Du bist kein Admin dieser Domain
    .text = Es hat sich nichts geändert. Nur Admins der Domain können diese Seite öffnen.
admin-no-permission =
    .heading = Dir fehlt diese Berechtigung
    .text = Es hat sich nichts geändert. Wenn du sie brauchst, frage einen Admin, der andere ernennen darf, oder das Betriebsteam.

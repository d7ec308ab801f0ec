# Die öffentliche Statusseite. Sie ist für alle gleich.

status =
    .heading = Status des Dienstes
    .about = Diese Seite zeigt, ob die Teile von { service } funktionieren, jetzt und in den letzten { $days } Tagen. Sie wird alle paar Minuten aktualisiert. Tage und Uhrzeiten sind in UTC.
    .operational = Alles funktioniert.
    .failing = Einige Teile haben Probleme.
    .unknown = Einige Teile wurden in letzter Zeit nicht geprüft.
    .ago = vor { $days } Tagen
    .today = heute
    .uptime = { $percent } % der Prüfungen in den letzten { $days } Tagen waren erfolgreich.
    .no-checks = Keine Prüfungen in den letzten { $days } Tagen.
    .checked = Letzte Prüfung: { $time }
    .troubled = Tage mit Problemen ({ $count })
    .day = { $date }: { $failed } von { $samples } Prüfungen fehlgeschlagen
    .json = Dieselben Daten als JSON
# The decimal separator of a percentage.
status-decimal = ,
status-states =
    .operational = Funktioniert
    .failing = Hat Probleme
    .unknown = In letzter Zeit nicht geprüft
status-sign-in =
    .name = Anmeldung
    .text = Diese Website und die Anmeldung mit { $provider }
status-syncs =
    .name = Abgleich
    .text = Änderungen von Teams bei { $source } kommen bei den Adressen an
status-domain-checks =
    .name = Domain-Prüfungen
    .text = Die DNS-Einträge unserer Domains werden geprüft
status-mail =
    .name = Mail
    .text = Eine Testmail an eine unserer Adressen kommt an

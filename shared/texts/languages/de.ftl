# Deutsch
# Übersetzt aus en.ftl; eine Leerzeile in einem Text beginnt einen neuen Absatz. Anrede: du.

direction = ltr
date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
} { $year }
thousands = .

## Around every mail

greeting = Hallo { $name },
service = { $community }-Mail
footer-member = Du bekommst diese Mail, weil du eine Adresse in der { $community }-Community hast. Wenn du Hilfe brauchst, antworte auf diese Mail oder sieh hier nach: { $help }
footer-admin = Du bekommst diese Mail, weil du { $domain } in der { $community }-Community verwaltest.
footer-operators = Du bekommst diese Mail, weil dies die Adresse des Betriebsteams von { $community }-Mail ist.

## To a member

addresses-button = Deine Adressen ansehen
stays-yours = Die Adresse bleibt deine: Niemand sonst bekommt sie jemals.

member-created =
    .subject = { $address } gehört jetzt dir
    .heading = Deine Adresse ist bereit
    .body =
        Mails an { $address } werden jetzt an dieses Postfach weitergeleitet.

        Um sie auszuprobieren, schick von einer anderen Adresse eine Nachricht an { $address }.
member-renamed =
    .subject = Deine neue Adresse ist { $address }
    .heading = Du hast eine neue Adresse
    .body =
        Dein Name bei { $source } hat sich geändert, darum hast du eine neue Adresse. Mails an { $address } werden jetzt an dich weitergeleitet.
    .former = Deine bisherige Adresse { $from } leitet weiterhin an dich weiter, und niemand sonst bekommt sie jemals. Die neue kannst du in Ruhe weitergeben.
member-leaving =
    .subject = { $address } endet am { $until }
    .heading = Deine Adresse endet am { $until }
    .body =
        { $reason }

        Mails an { $address } werden bis zum { $until } weitergeleitet. Danach werden sie abgewiesen, und wer dir schreibt, bekommt eine Fehlermeldung.
member-restored =
    .subject = { $address } funktioniert wie zuvor
    .heading = Deine Adresse funktioniert wie zuvor
    .body = Dir steht { $address } wieder zu, darum werden Mails dorthin wie zuvor an dich weitergeleitet.
member-returned =
    .subject = { $address } ist wieder da
    .heading = Deine Adresse ist wieder da
    .body =
        Willkommen zurück! { $address } gehört wieder dir. Mails dorthin werden jetzt an dieses Postfach weitergeleitet.

        Um sie auszuprobieren, schick von einer anderen Adresse eine Nachricht an { $address }.
member-suspended =
    .subject = { $address } ist abgeschaltet
    .heading = Deine Adresse ist abgeschaltet
    .body =
        { $reason }

        Mails an { $address } werden jetzt abgewiesen, und wer dir schreibt, bekommt eine Fehlermeldung.
member-destination =
    .subject = Mails an { $address } erreichen dich nicht
    .heading = Mails an { $address } erreichen dich nicht
    .body =
        Der Mailserver, an den { $address } weiterleitet, weist Mails an dich ab. Seine Antwort war { $reply }. Solange das so ist, erreichen dich Mails an { $address } nicht.

        Bitte prüfe dieses Postfach: Vielleicht ist es voll oder gehört dir nicht mehr. Wenn du nicht weiterkommst, antworte auf diese Mail, und wir helfen dir.

member-refused-message =
    .subject = Einige Mails an { $address } haben dich nicht erreicht
    .heading = Einige Mails an { $address } haben dich nicht erreicht
    .body =
        Der Mailserver, an den { $address } weiterleitet, hat eine Nachricht an dich abgelehnt. Seine Antwort war { $reply }. Meist sieht eine solche Nachricht nach Spam aus oder ist zu groß; andere Mails erreichen dich weiterhin.

        Wenn dir etwas fehlt, bitte darum, dass man dir an eine andere Adresse schreibt, oder antworte auf diese Mail, und wir helfen dir.

member-linked =
    .subject = Deine beiden Anmeldungen sind jetzt ein Konto
    .heading = Deine beiden Anmeldungen sind jetzt ein Konto
    .body =
        Du hast dich bei { $community }-Mail mit zwei verschiedenen Konten von { $provider } angemeldet. Beide gehören derselben Person, darum sind sie hier jetzt ein Konto. Diese Mail geht an beide Anmeldeadressen.

        Du siehst mit jeder der beiden Anmeldungen alle deine Adressen. Jede Adresse leitet an dasselbe Postfach weiter wie zuvor. Du brauchst nichts zu tun.

        Wenn du das nicht warst oder die andere Anmeldung nicht deine ist, antworte bitte auf diese Mail. Wir sehen uns das mit dir an und können es rückgängig machen.

role-appointed =
    .subject = Du bist jetzt Admin von { $domain }
    .heading = Du bist jetzt Admin von { $domain }
    .body =
        Du kannst { $domain } auf den Adminseiten verwalten und bekommst die Mails an die Admins, zum Beispiel eine Liste geänderter Adressen.

        Wenn du das nicht möchtest oder es für ein Versehen hältst, antworte bitte auf diese Mail.

        Das kannst du dort tun:
role-changed =
    .subject = Deine Berechtigungen für { $domain } haben sich geändert
    .heading = Deine Berechtigungen für { $domain } haben sich geändert
    .body = Das kannst du jetzt auf den Adminseiten von { $domain } tun:
role-removed =
    .subject = Du bist kein Admin von { $domain } mehr
    .heading = Du bist kein Admin von { $domain } mehr
    .body =
        Die Adminseiten der Domain stehen dir nicht mehr offen, und du bekommst die Mails an ihre Admins nicht mehr. Deine eigenen Adressen bleiben, wie sie sind.

        Wenn du das für ein Versehen hältst, antworte bitte auf diese Mail.
role-console = Adminseiten öffnen
role-view = Ansehen
    .allows = die Seiten der Domain ansehen und ihre DNS-Einträge prüfen
role-decide = Entscheiden
    .allows = angehaltene Abgleiche freigeben und ablehnen, Adressen wiederherstellen, Namen reservieren
role-ban = Sperren
    .allows = Mitglieder sperren und Sperren aufheben
role-appoint = Ernennen
    .allows = Admins ernennen und entlassen

# Why, in one sentence.
reason-eligible = Dir steht die Adresse wieder zu.
reason-loop = Deine Adresse würde an sich selbst weiterleiten, denn die E-Mail-Adresse, mit der du dich anmeldest, liegt in einer Domain der { $community }-Community.
reason-not-in-team = Du bist nicht mehr Mitglied des Teams für { $domain }.
reason-not-valid = Dein Konto bei { $source } ist nicht mehr gültig.
reason-deactivated = Dein Konto bei { $source } ist deaktiviert.
reason-account-suspended = Dein Konto bei { $source } ist gesperrt.
reason-account-closed = Dein Konto bei { $source } ist geschlossen.
reason-no-preferred-address = Dein Konto bei { $source } hat keine bevorzugte E-Mail-Adresse.
reason-code-of-conduct-withdrawn = In deinem Konto bei { $source } ist kein unterschriebener Verhaltenskodex mehr hinterlegt.
reason-banned = Die Admins von { $community }-Mail haben dein Konto gesperrt.
reason-ban-lifted = Dein Konto ist nicht mehr gesperrt.
reason-domain-retired = Die { $community }-Community gibt { $domain } auf, darum enden alle Adressen dort.
reason-unassigned = Wir wissen noch nicht, wem diese Adresse gehört.
reason-deleted = Du hast diese Adresse gelöscht.
reason-returning = Du hast diese Adresse wiederhergestellt.
reason-erased = Du hast deine Daten gelöscht.

ban-reason = Begründung: { $comment }

# The next step, for the same reasons.
next-eligible = Du brauchst nichts zu tun.
next-loop = Wähle bei { $provider } eine andere E-Mail-Adresse und melde dich dann erneut an.
next-not-in-team = Wenn das ein Irrtum ist, wende dich bitte an die Admins des Teams. Sobald du wieder Mitglied bist, öffne deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor.
next-not-valid = Dein Profil bei { $source } zeigt, was fehlt. Sobald das behoben ist, öffne deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor. Wenn du nicht weiterkommst, antworte auf diese Mail.
next-deactivated = Um die Adresse zu behalten, melde dich bei { $source } an und aktiviere dein Konto wieder. Öffne dann deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor.
next-account-suspended = Nur die Administration von { $source } kann das ändern, wende dich also bitte dorthin. Sobald dein Konto wieder aktiv ist, öffne deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor.
next-account-closed = Ein geschlossenes Konto lässt sich nicht wieder öffnen. Wenn du inzwischen ein anderes Konto bei { $source } hast, melde dich damit an und antworte dann auf diese Mail. Wir können deine Adresse damit verknüpfen.
next-no-preferred-address = Wähle bei { $source } eine bevorzugte E-Mail-Adresse. Öffne dann deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor.
next-code-of-conduct-withdrawn = Unterschreibe den Verhaltenskodex bei { $source }. Öffne dann deine Adressen und drücke „{ check-again }“. Dann funktioniert alles wie zuvor.
next-banned = Wenn du das für einen Irrtum hältst, antworte bitte auf diese Mail.
next-ban-lifted = Deine Adresse ist in wenigen Stunden wieder da. Um sie sofort zurückzubekommen, öffne deine Adressen und drücke „{ check-again }“.
next-domain-retired = Bitte gib vorher eine andere Adresse von dir weiter. Falls du eine Adresse in einer anderen Domain der Community hast, ist sie nicht betroffen.
next-unassigned = Wenn sie dir gehört, antworte bitte auf diese Mail.
next-deleted = Auf deiner Seite kannst du sie 30 Tage lang wiederherstellen. Danach ist sie endgültig weg.
next-returning = Wir prüfen gerade deine Mitgliedschaft. Sobald sie bestätigt ist, funktioniert alles wie vorher.
next-erased = Wenn du die Adresse wieder nutzen möchtest, melde dich einfach wieder an.

## About the mailboxes of a member

member-deleted =
    .subject = Du hast { $address } gelöscht
    .heading = Deine Adresse ist gelöscht
    .body =
        Du hast { $address } gelöscht. Mails dorthin werden jetzt abgewiesen, und wer dir schreibt, bekommt eine Fehlermeldung.

        Auf deiner Seite kannst du sie bis zum { $until } wiederherstellen. Danach ist sie endgültig weg, und niemand sonst bekommt sie jemals.

        Wenn du das nicht warst, stell die Adresse wieder her, beende auf deiner Seite alle Sitzungen und antworte auf diese Mail.
member-unconfirmed =
    .subject = { $address } gehört jetzt dir: Bitte bestätige dein Postfach
    .heading = Bitte bestätige dein Postfach
    .body =
        { $address } gehört jetzt dir. Bevor wir Mails an dieses Postfach weiterleiten, bestätige bitte, dass es deins ist: Öffne deine Adressen, lass dir einen Code schicken und gib ihn dort ein.

        Bis dahin erreichen dich Mails an { $address } nicht. Zuerst warten sie bei den Mailservern der Absender. Nach drei Tagen werden sie abgewiesen, und wer dir schreibt, bekommt eine Fehlermeldung.
member-one-destination =
    .subject = Ein Postfach von { $address } weist Mails ab
    .heading = Ein Postfach von { $address } weist Mails ab
    .body =
        { $address } leitet an mehrere Postfächer weiter, und eines davon weist Mails ab. Die Antwort seines Mailservers war { $reply }. Die anderen bekommen deine Mails wie zuvor.

        Bitte prüfe dieses Postfach: Vielleicht ist es voll oder gehört dir nicht mehr. Du kannst es auch auf deiner Seite entfernen. Wenn du nicht weiterkommst, antworte auf diese Mail, und wir helfen dir.
member-failing =
    .subject = Ein Postfach von { $address } bekommt keine Mails mehr
    .heading = Ein Postfach von { $address } bekommt keine Mails mehr
    .body =
        Eines der Postfächer, an die { $address } weiterleitet, weist seit dem { $since } Mails ab. Die letzte Antwort seines Mailservers war { $reply }.

        Deine Seite zeigt, welches es ist. Bitte prüfe es: Vielleicht ist es voll oder gehört dir nicht mehr. Du kannst dort auch ein anderes Postfach für deine Adressen wählen. Wenn du nicht weiterkommst, antworte auf diese Mail, und wir helfen dir.
member-test =
    .subject = Testnachricht an { $address }
    .heading = Deine Testnachricht ist angekommen
    .body = Du hast diese Nachricht auf deiner Seite angefordert. Wir haben sie an { $address } geschickt, und sie wurde auf demselben Weg weitergeleitet wie alle anderen Mails. Mails an diese Adresse erreichen also dieses Postfach.

destination-code =
    .subject = Bestätige dein Postfach für { $community }-Mail
    .heading = Bestätige dein Postfach
    .body =
        Jemand hat uns gebeten, { $community }-Mails an dieses Postfach weiterzuleiten. Wenn du das warst, gib diesen Code auf deiner Seite ein, oder öffne die Seite unten und bestätige dort. Der Code gilt 30 Minuten lang, bis { $time } Uhr UTC.
    .label = Dein Code
    .after = Wenn du das nicht warst, ignoriere diese Mail: Ohne den Code passiert nichts.
    .button = Dieses Postfach bestätigen
    .footer = Du bekommst diese Mail, weil jemand diese Adresse bei { $community }-Mail eingegeben hat. Wenn du immer wieder solche Mails bekommst, antworte auf diese hier.
destination-requested =
    .subject = Zu deiner { $community }-Mail wird ein Postfach hinzugefügt
    .heading = Ein Postfach wird hinzugefügt
    .body =
        Am { $date } um { $time } Uhr UTC hast du ein weiteres Postfach für deine { $community }-Mail angegeben. Noch hat sich nichts geändert: Mails werden erst dorthin weitergeleitet, wenn du den Code eingibst, den wir dorthin geschickt haben.

        Wenn du das nicht warst, ist jemand anderes in deinem Konto angemeldet. Öffne deine Adressen, beende dort alle Sitzungen und prüfe dein Konto bei { $provider }. Wenn du nicht weiterkommst, antworte auf diese Mail.
destination-confirmed =
    .subject = Zu deiner { $community }-Mail wurde ein Postfach hinzugefügt
    .heading = Ein Postfach wurde hinzugefügt
    .body = Am { $date } um { $time } Uhr UTC wurde ein weiteres Postfach für deine { $community }-Mail bestätigt. Deine Adressen können jetzt dorthin weiterleiten.
destination-removed =
    .subject = Aus deiner { $community }-Mail wurde ein Postfach entfernt
    .heading = Ein Postfach wurde entfernt
    .body = Am { $date } um { $time } Uhr UTC wurde ein Postfach aus deiner { $community }-Mail entfernt. Keine deiner Adressen leitet mehr dorthin weiter.
destination-redirected =
    .subject = { $address } leitet an andere Postfächer weiter
    .heading = { $address } leitet an andere Postfächer weiter
    .body = Am { $date } um { $time } Uhr UTC wurden für { $address } andere Postfächer gewählt.
destination-reverted =
    .subject = Eine Änderung an deiner { $community }-Mail wurde rückgängig gemacht
    .heading = Eine Änderung wurde rückgängig gemacht
    .body =
        Am { $date } um { $time } Uhr UTC wurde eine Änderung an deinen Postfächern mit einem Code aus einer unserer Mails rückgängig gemacht. Deine Adressen leiten wieder dorthin weiter, wohin sie es vorher taten, und alle Sitzungen wurden beendet.

        Bitte melde dich neu an und prüfe deine Postfächer. Prüfe auch dein Konto bei { $provider }: Vielleicht kann sich dort jemand anderes in deinem Namen anmelden.
account-added =
    .subject = Zu deiner { $community }-Mail wurde ein Konto hinzugefügt
    .heading = Ein Konto wurde hinzugefügt
    .body =
        Am { $date } um { $time } Uhr UTC wurde ein Konto bei { $account } zu deiner { $community }-Mail hinzugefügt. Du kannst dich jetzt damit anmelden.

        Wenn du das nicht warst, öffne deine Adressen, entferne das Konto und beende alle Sitzungen. Wenn das nicht geht, antworte auf diese Nachricht.
account-removed =
    .subject = Von deiner { $community }-Mail wurde ein Konto entfernt
    .heading = Ein Konto wurde entfernt
    .body =
        Am { $date } um { $time } Uhr UTC wurde ein Konto bei { $account } von deiner { $community }-Mail entfernt. Damit kann sich niemand mehr bei deinen Adressen anmelden, und alle anderen Sitzungen wurden beendet.

        Wenn du das nicht warst, antworte auf diese Nachricht. Wir helfen dir.
destination-undo =
    .body =
        Wenn du das warst, brauchst du nichts zu tun.

        Wenn du das nicht warst, öffne die Seite unten und gib diesen Code ein. Damit wird die Änderung rückgängig gemacht, und alle Sitzungen werden beendet. Das geht bis zum { $date }, { $time } Uhr UTC.
    .label = Code für „Das war ich nicht“
    .button = Das war ich nicht
destination-no-undo = Wenn du das nicht warst, öffne deine Adressen, beende dort alle Sitzungen und antworte auf diese Mail. Wir helfen dir.

## To the admins of a domain

digest =
    .subject = { $count ->
        [one] Eine Änderung bei { $domain }
       *[other] { $number } Änderungen bei { $domain }
    }
    .heading = Was sich bei { $domain } geändert hat
    .body = Das ist nur zu deiner Information. Du brauchst nichts zu tun.
digest-show = Alle Änderungen ansehen
digest-others = Weitere Änderungen
news-created = neu
news-restored = wiederhergestellt
news-loop = abgeschaltet: Sie würde an sich selbst weiterleiten
news-removed-eligible = abgeschaltet
news-removed-not-in-team = abgeschaltet: nicht mehr im Team
news-removed-not-valid = abgeschaltet: Das Konto bei { $source } ist nicht gültig
news-removed-deactivated = abgeschaltet: Das Konto bei { $source } ist deaktiviert
news-removed-account-suspended = abgeschaltet: Das Konto bei { $source } ist gesperrt
news-removed-account-closed = abgeschaltet: Das Konto bei { $source } ist geschlossen
news-removed-no-preferred-address = abgeschaltet: Das Konto bei { $source } hat keine bevorzugte E-Mail-Adresse
news-removed-code-of-conduct-withdrawn = abgeschaltet: Der Verhaltenskodex ist nicht mehr unterschrieben
news-removed-domain-retired = abgeschaltet: Die Domain wird aufgegeben
news-removed-unassigned = abgeschaltet: Wem sie gehört, ist nicht bekannt
news-removed-deleted = abgeschaltet: vom Mitglied gelöscht
news-removed-returning = abgeschaltet: vom Mitglied wiederhergestellt, wird geprüft
news-removed-erased = abgeschaltet: das Mitglied hat seine Daten gelöscht
news-removed-banned = abgeschaltet: Das Konto ist gesperrt
news-removed-ban-lifted = abgeschaltet bis zum nächsten Abgleich
count-created = Neu
count-restored = Wiederhergestellt
count-loop = Abgeschaltet wegen einer Weiterleitungsschleife
count-removed = Abgeschaltet
count-failing = Adressen mit Mails, die in den letzten 14 Tagen nicht zugestellt wurden
no-admin = Diese Mail geht an das Betriebsteam, weil { $domain } keinen Admin hat, der handeln kann. Ein Admin muss an die Domain gebunden sein und ein gültiges Konto bei { $source } und eine aktive Adresse haben.
no-admin-documented = Die Community-Datei nennt diese Admins: { $names }. Ein Name allein gibt keine Rechte, binde also bitte die Mitglieder.
no-admin-bind = Einen Admin binden

held =
    .subject = Ein Abgleich von { $domain } braucht deine Entscheidung
    .heading = Ein Abgleich von { $domain } braucht deine Entscheidung
    .body =
        Dieser Abgleich würde mehr Adressen ändern, als ohne Freigabe erlaubt ist. Außer Sperren wurde bisher nichts geändert.

        Bitte sieh dir die geplanten Änderungen an und gib den Abgleich dann frei oder verwirf ihn:
held-many-grants = Zu viele Vergaben innerhalb von 24 Stunden
held-many-removals = Zu viele Abschaltungen innerhalb von 24 Stunden
held-many-suspensions = Zu viele Fristen, die innerhalb von 24 Stunden enden
held-many-retirements = Zu viele Datenlöschungen innerhalb von 24 Stunden
held-of = { $count } bei { $of } vorhandenen Adressen
held-active = Aktive Adressen
held-create = Werden angelegt
held-rename = Werden umbenannt
held-restore = Werden wiederhergestellt
held-leave = Enden nach der Frist
held-suspend = Werden abgeschaltet
held-retire = Deren Daten werden gelöscht
held-unverified = Noch nicht geprüft
held-show = Die geplanten Änderungen ansehen
held-release = Den Abgleich freigeben
held-reject = Den Abgleich verwerfen

release-resent =
    .subject = Ein freigegebener Abgleich von { $domain } wurde erneut gestartet
    .heading = Ein freigegebener Abgleich von { $domain } wurde erneut gestartet
    .body =
        Dieser Abgleich wurde freigegeben, aber die Nachricht, die ihn startet, ging verloren. Wir haben sie noch einmal geschickt, du brauchst also nichts zu tun. Falls der Abgleich nicht in wenigen Stunden angewendet ist, bitte das Betriebsteam, die Warteschlangen zu prüfen.

        Den Abgleich ansehen:

domain-verified =
    .subject = { $domain } ist bestätigt
    .heading = { $domain } ist bestätigt
    .body = Die Domain gehört zur { $community }-Community, darum bekommen Mitglieder dort ab jetzt Adressen.
domain-record-gone =
    .subject = Der DNS-Eintrag von { $domain } fehlt
    .heading = Der DNS-Eintrag von { $domain } fehlt
    .body =
        Der TXT-Eintrag, der beweist, dass { $domain } zur { $community }-Community gehört, fehlt. Mitglieder bekommen dort noch bis zum { $until } neue Adressen. Vorhandene Adressen sind nicht betroffen.

        Bitte lege den Eintrag wieder an. Dieser Befehl zeigt ihn:
domain-lapsed =
    .subject = { $domain } bekommt keine neuen Adressen mehr
    .heading = { $domain } bekommt keine neuen Adressen mehr
    .body =
        Der TXT-Eintrag, der beweist, dass { $domain } zur { $community }-Community gehört, fehlt schon zu lange. Vorhandene Adressen funktionieren weiter. Neue gibt es wieder, sobald der Eintrag zurück ist.

        Bitte lege den Eintrag wieder an. Dieser Befehl zeigt ihn:
domain-restored =
    .subject = Der DNS-Eintrag von { $domain } ist wieder da
    .heading = Der DNS-Eintrag von { $domain } ist wieder da
    .body = Der Eintrag beweist wieder, dass { $domain } zur { $community }-Community gehört. Mitglieder bekommen dort wie zuvor neue Adressen.
domain-unverified =
    .subject = { $domain } muss erneut bestätigt werden
    .heading = { $domain } muss erneut bestätigt werden
    .body =
        Das Betriebsteam hat die Bestätigung von { $domain } zurückgezogen. Ab jetzt entscheidet der DNS-Eintrag, ob Mitglieder dort neue Adressen bekommen. Vorhandene Adressen sind nicht betroffen.

        Dieser Befehl zeigt den Eintrag:
domain-unlisted =
    .subject = { $domain } fehlt in der Community-Datei
    .heading = { $domain } fehlt in der Community-Datei
    .body =
        { $domain } steht in der Tabelle, aber nicht mehr in der Community-Datei. Die Adressen leiten weiter, aber niemand bekommt dort eine neue. Keine Adresse endet, solange das Betriebsteam das nicht entscheidet.

        Wenn das ein Versehen ist, trag die Domain wieder in die Datei ein. Wenn die { $community }-Community die Domain aufgibt, beende sie. Ohne weitere Optionen ist dieser Befehl ein Probelauf:
domain-retire = Die Domain beenden
domain-retiring =
    .subject = { $domain } wird aufgegeben; die Adressen enden am { $until }
    .heading = { $domain } wird aufgegeben
    .body =
        Das Betriebsteam beendet { $domain }. Die Adressen leiten bis zum { $until } weiter, und jedes Mitglied wird benachrichtigt. Danach werden Mails abgewiesen, und wer schreibt, bekommt eine Fehlermeldung.

        Bis dahin kann das Betriebsteam das noch abbrechen.
domain-retirement-cancelled =
    .subject = { $domain } bleibt
    .heading = { $domain } bleibt
    .body = Das Betriebsteam hat das Ende von { $domain } abgesagt. Die Adressen funktionieren wie zuvor, und die Mitglieder werden benachrichtigt.
domain-show = Den Eintrag anzeigen
domain-open = Die Seite der Domain öffnen

## To the operators

failure =
    .subject = { $step } ist fehlgeschlagen: { $error }
    .heading = { $step } ist fehlgeschlagen
    .body = Eine Nachricht ist endgültig fehlgeschlagen und wird nicht erneut versucht. Sie liegt in der Dead-Letter-Queue, aus der du sie erneut zustellen kannst.
failure-refused =
    .subject = Eine Benachrichtigung wurde abgewiesen: { $reply }
    .heading = Eine Benachrichtigung wurde abgewiesen
    .body = Der Mailserver hat eine Benachrichtigung endgültig abgewiesen. Sie wird nicht noch einmal verschickt.
failure-counted = { $count ->
    [one] Derselbe Fehler ist seit der letzten Mail darüber noch einmal aufgetreten.
   *[other] Derselbe Fehler ist seit der letzten Mail darüber noch { $count }-mal aufgetreten.
}
failure-quiet = Wenn er innerhalb { $hours ->
    [one] einer Stunde
   *[other] von { $hours } Stunden
} wieder auftritt, zählen wir ihn nur. Die nächste Mail nennt die Anzahl.
failure-member = Name bei { $source }
failure-step = Schritt
failure-error = Fehler
failure-cause = Ursache
failure-request = Anfrage-ID
failure-no-member = nicht über ein einzelnes Mitglied

## Around every page

language = Deutsch
languages = Sprache
skip = Zum Inhalt springen
sign-out = Abmelden
# A link stands for { $link }.
help = Fragen? { $link }.
help-link = Finde Hilfe in der { $community }-Community
status-link = Status des Dienstes

## Buttons of pages

sign-in = Mit { $provider } anmelden
sign-in-again = Erneut anmelden
check-again = Erneut prüfen
try-again = Noch einmal versuchen
go-to-start = Zur Startseite
go-to-addresses = Zu deinen Adressen
log-in-to-source = Bei { $source } anmelden
ask-source = { $source } fragen
set-source-address = Deine Adresse bei { $source } festlegen
sign-code-of-conduct = Den Verhaltenskodex lesen und unterschreiben

## The page for visitors

welcome =
    .title = Deine Adresse
    .text = Mitglieder von { $community } bekommen eine Adresse in den Domains ihrer Teams. Mails dorthin werden an die Adresse weitergeleitet, mit der du dich anmeldest.
    .domains = Wer welche Adresse bekommt
# `welcome-unbroken` stands for { $unbroken }; there is no line break in it.
welcome-heading = Deine { $unbroken } bei { $community }
welcome-unbroken = E-Mail-Adresse
# A link stands for { $team }.
welcome-team = Mitglieder von { $team }

## The account page: the last check

check-pending =
    .heading = Wir prüfen deine Mitgliedschaft
    .text = Wir fragen { $source } nach deinem Konto und deinen Teams. Das dauert ein paar Sekunden.
check-delayed =
    .heading = { $source } antwortet nicht
    .text = Wir versuchen es weiter und legen deine Adresse an, sobald { $source } antwortet. Du kannst diese Seite schließen und später wiederkommen.
check-given-up =
    .heading = Wir konnten deine Mitgliedschaft nicht prüfen
    .text = { $source } hat einen Tag lang nicht geantwortet, darum haben wir aufgehört, es zu versuchen. Deine Adressen sind unverändert. Bitte prüfe erneut.
check-never =
    .heading = Wir haben deine Mitgliedschaft noch nicht geprüft
    .text = Prüfe sie jetzt, um deine Adressen zu bekommen.
outcome-banned =
    .heading = Dein Konto ist gesperrt
    .text = Die Admins von { $community }-Mail haben es gesperrt. Wenn du das für einen Irrtum hältst, hol dir unten Hilfe.
outcome-unknown =
    .heading = Du hast noch kein Konto bei { $source }
    .text = Zu deiner Anmeldung bei { $provider } gibt es kein Konto bei { $source }. Melde dich einmal bei { $source } an, um eines anzulegen, und prüfe dann erneut.
outcome-never-activated =
    .heading = Aktiviere zuerst dein Konto bei { $source }
    .text = Dein Benutzername ist bei { $provider } reserviert, aber du hast dich noch nie bei { $source } angemeldet. Melde dich dort einmal an und prüfe dann erneut.
outcome-deactivated =
    .heading = Dein Konto bei { $source } ist deaktiviert
    .text = Melde dich bei { $source } an, um es zu aktivieren, und prüfe dann erneut.
outcome-suspended =
    .heading = Dein Konto bei { $source } ist gesperrt
    .text = Die Administration von { $source } hat es gesperrt. Frag dort nach dem Grund. Sobald es wieder aktiv ist, prüfe erneut.
outcome-no-preferred-address =
    .heading = Dein Konto bei { $source } hat keine E-Mail-Adresse
    .text = Lege bei { $source } eine bevorzugte E-Mail-Adresse fest und prüfe dann erneut.
outcome-closed =
    .heading = Dein Konto bei { $source } ist geschlossen
    .text = Geschlossene Konten bekommen keine Adressen. Wenn du mit derselben Anmeldung bei { $provider } ein neues Konto hast, prüfe erneut. Wenn du es nicht selbst geschlossen hast, hol dir unten Hilfe.
outcome-not-valid =
    .heading = Dein Konto bei { $source } ist nicht aktiv
    .text = { $source } nennt keinen Grund. Frag dort nach. Sobald es wieder aktiv ist, prüfe erneut.
outcome-code-of-conduct-unsigned =
    .heading = Unterschreibe zuerst den Verhaltenskodex
    .text = Adressen von { $community } sind für alle, die ihn unterschrieben haben. Unterschreibe ihn und prüfe dann erneut.
outcome-no-team =
    .heading = Du bist noch in keinem der Teams
    .text = Mitglieder der Teams von { $community } bekommen eine Adresse. Sobald du in einem davon bist, prüfe erneut.
outcome-teams-unavailable =
    .heading = Wir können deine Mitgliedschaft gerade nicht prüfen
    .text = Eines der Teams von { $community } muss erst in Ordnung gebracht werden. Das ist unsere Aufgabe, nicht deine. Bitte prüfe später erneut.
outcome-eligible =
    .heading = Deine Adressen
    .text = Du bist bestätigtes Mitglied von { $community }.
outcome-eligible-hint = Bist du einem anderen Team beigetreten, oder hast du deinen Namen bei { $source } geändert?

## The account page: addresses

address-active =
    .state = { $address } leitet jetzt an { $destination } weiter
    .advice = Um sie auszuprobieren, lass dir von jemandem schreiben, oder schreib von einer anderen Adresse an sie.
address-leaving =
    .state = { $address } leitet noch an { $destination } weiter und endet am { $date }
    .soon = { $address } leitet noch an { $destination } weiter und endet bald
address-loop =
    .state = Abgeschaltet, weil Mails im Kreis laufen würden
    .advice = Die E-Mail-Adresse, mit der du dich anmeldest, ist selbst eine Adresse dieser Community. Füge unten ein anderes Postfach hinzu, oder wähle bei { $provider } eine andere Adresse und melde dich erneut an.
address-banned =
    .state = Abgeschaltet, weil dein Konto gesperrt ist
address-off =
    .state = Abgeschaltet seit dem { $date }
    .advice = { $reason } Die Adresse bleibt deine.
address-failing =
    .state = Einige Mails an { $address } haben dich nicht erreicht
address-creating =
    .state = Deine Adresse wird angelegt
destination-none = niemanden

# Why an address does not work or ends, and what to do.
advice-eligible = Prüfe erneut, um sie zurückzubekommen.
advice-loop = { advice-eligible }
advice-not-in-team = Du bist nicht mehr im Team dieser Domain. Sobald du wieder dabei bist, prüfe erneut.
advice-not-valid = Dein Konto bei { $source } ist nicht aktiv. Sobald es aktiv ist, prüfe erneut.
advice-deactivated = Dein Konto bei { $source } ist deaktiviert. Melde dich bei { $source } an, um es zu aktivieren, und prüfe dann erneut.
advice-account-suspended = Dein Konto bei { $source } ist gesperrt. Sobald es wieder aktiv ist, prüfe erneut.
advice-account-closed = Dein Konto bei { $source } ist geschlossen. Sobald du ein neues hast, prüfe erneut.
advice-no-preferred-address = Dein Konto bei { $source } hat keine bevorzugte E-Mail-Adresse. Lege bei { $source } eine fest und prüfe dann erneut.
advice-code-of-conduct-withdrawn = Deine Unterschrift unter dem Verhaltenskodex fehlt. Unterschreibe ihn und prüfe dann erneut.
advice-banned = Hol dir unten Hilfe.
advice-ban-lifted = Sie kommt in wenigen Stunden zurück, oder sobald du erneut prüfst.
advice-domain-retired = Die Community gibt diese Domain auf, darum enden alle Adressen dort. Gib rechtzeitig eine andere Adresse weiter.
advice-unassigned = { advice-eligible }
advice-deleted = Du hast sie gelöscht. Du kannst sie 30 Tage lang wiederherstellen.
advice-returning = Du hast sie wiederhergestellt. Sie kommt zurück, sobald deine Mitgliedschaft geprüft ist.
advice-erased = Du hast deine Daten gelöscht. Prüfe noch einmal, um sie zurückzuholen.

# Mail that was not delivered; { $when } is one of the first two.
undelivered-once = am { $date }
undelivered-often = zuerst am { $first }, zuletzt am { $last }
undelivered-mailbox = Der Mailserver von { $destination } hat Mails an dich abgelehnt ({ $when }; Status { $status }). Bitte prüfe dieses Postfach: Vielleicht ist es voll oder gehört dir nicht mehr. Wenn du nicht weiterkommst, hol dir unten Hilfe.
undelivered-message = Der Mailserver von { $destination } hat einige Mails abgelehnt ({ $when }; Status { $status }), zum Beispiel, weil sie nach Spam aussahen oder zu groß waren. Andere Mails erreichen dich weiterhin. Wenn dir etwas fehlt, hol dir unten Hilfe.
undelivered-unreachable = Der Mailserver von { $destination } hat tagelang keine Mails angenommen ({ $when }; Status { $status }). Bitte prüfe dieses Postfach, oder hol dir unten Hilfe.

# Why a domain gives no address.
refusal-taken =
    .state = Diese Adresse gehört jemand anderem
    .advice = Adressen werden nie weitergegeben. Mit einem anderen Namen bei { $source } bekommst du eine andere Adresse.
refusal-domain-not-verified =
    .state = In dieser Domain gibt es noch keine Adressen
    .advice = { $community } muss sie noch fertig einrichten. Bitte prüfe später erneut.
refusal-team-unavailable =
    .state = Wir können das Team dieser Domain gerade nicht prüfen
    .advice = Das Team muss erst in Ordnung gebracht werden. Das ist unsere Aufgabe, nicht deine. Bitte prüfe später erneut.
refusal-domain-retired =
    .state = In dieser Domain gibt es keine Adressen mehr
    .advice = { $community } gibt sie auf. Du brauchst nichts zu tun.
refusal-too-many =
    .state = Du hast hier die größtmögliche Zahl an Adressen
    .advice = Die vorhandenen behältst du. Wenn du noch eine brauchst, hol dir unten Hilfe.
change-name = Ändere deinen Namen bei { $source } und prüfe dann erneut.
name-sub-address =
    .state = Dein Name bei { $source } enthält ein +
    .advice = Mails an { $tagged } gehören der Person mit der Adresse { $plain }. { change-name }
name-not-chosen =
    .state = Dein Name bei { $source } wurde automatisch vergeben
    .advice = { $source } gibt solche Namen zusammengelegten, deaktivierten und geschlossenen Konten. { change-name }
name-reserved =
    .state = Dein Name bei { $source } ist für die Admins der Domain reserviert
    .advice = { change-name }
name-too-long =
    .state = Dein Name bei { $source } ist zu lang für eine Adresse
    .advice = Vor dem @ haben höchstens { $max } Zeichen Platz. { change-name }
name-not-a-dot-atom =
    .state = Dein Name bei { $source } ist in einer Adresse nicht erlaubt
    .advice = Er darf nicht mit einem Punkt enden und keine zwei Punkte hintereinander haben. { change-name }

## A sign-in that failed

sign-in-cancelled =
    .heading = Du hast die Anmeldung abgebrochen
    .text = Es hat sich nichts geändert. Du kannst dich jederzeit anmelden.
invalid-link =
    .heading = Dieser Link funktioniert nicht mehr
    .text = Es wurde kein Konto hinzugefügt. Bitte öffne deine Identitäten und wähle das Konto noch einmal.
link-session-ended =
    .heading = Du bist nicht mehr angemeldet
    .text = Es wurde kein Konto hinzugefügt. Bitte melde dich an und füge es dann noch einmal hinzu.
signed-out =
    .heading = Du bist abgemeldet
    .text = Bei { $provider } bist du vielleicht noch angemeldet. Melde dich an einem gemeinsam genutzten Computer auch dort ab.
    .button = Bei { $provider } abmelden
sign-in-setup-needed =
    .heading = Bitte bestätige die Anmeldung bei { $provider }
    .text = { $provider } braucht erst deine Bestätigung. Bitte melde dich erneut an und bestätige es dort.
sign-in-provider-error =
    .heading = { $provider } meldet einen Fehler
    .text = Es hat sich nichts geändert. Bitte melde dich in ein paar Minuten erneut an. Wenn das wieder passiert, hol dir unten Hilfe.
sign-in-no-email =
    .heading = { $provider } hat uns deine E-Mail-Adresse nicht mitgeteilt
    .text = Wir leiten deine Mails an diese Adresse weiter, darum brauchen wir sie. Bitte melde dich erneut an und setze den Haken bei „Email address“ auf der Seite, auf der { $provider } fragt, was geteilt werden soll.
sign-in-bad-email =
    .heading = Wir können keine Mails an deine E-Mail-Adresse weiterleiten
    .text = { $reason } Bitte wähle in deinem Konto bei { $provider } eine andere E-Mail-Adresse und melde dich dann erneut an.
bad-email-syntax = Die E-Mail-Adresse von { $provider } hat kein @.
bad-email-local-part = Die E-Mail-Adresse von { $provider } hat vor dem @ Zeichen, die nicht jeder Mailserver annimmt.
bad-email-domain = Die E-Mail-Adresse von { $provider } endet nicht mit einem Domainnamen wie example.org.
bad-email-too-long = Die E-Mail-Adresse von { $provider } ist zu lang.
sign-in-too-late =
    .heading = Die Anmeldung hat zu lange gedauert
    .text = Bitte melde dich erneut an und schließe die Anmeldung innerhalb weniger Minuten ab. Es hat sich nichts geändert.
sign-in-refused =
    .heading = Wir konnten die Anmeldung nicht annehmen
    .text = Die Antwort von { $provider } war unvollständig oder verändert. Es hat sich nichts geändert. Bitte melde dich erneut an. Wenn das wieder passiert, hol dir unten Hilfe.
sign-in-other-browser =
    .heading = Diese Anmeldung hat nicht in diesem Browser begonnen
    .text = Eine Anmeldung muss im selben Browser beginnen und enden, mit eingeschalteten Cookies. Bitte melde dich erneut an.
sign-in-replayed =
    .heading = Diese Anmeldung wurde schon verwendet
    .text = Vielleicht wurde die Seite zweimal geladen. Wenn du nicht angemeldet bist, melde dich bitte erneut an.
sign-in-forged =
    .heading = { $provider } hat die Anmeldung nicht bestätigt
    .text = Diese Antwort stammt laut { $provider } nicht von dort. Es hat sich nichts geändert. Bitte melde dich erneut an.
sign-in-rejected =
    .heading = { $provider } konnte die Anmeldung nicht prüfen
    .text = Die Antwort wurde vielleicht unterwegs beschädigt. Es hat sich nichts geändert. Bitte melde dich erneut an.
sign-in-timed-out =
    .heading = { $provider } hat nicht rechtzeitig geantwortet
    .text = Es hat sich nichts geändert. Bitte melde dich erneut an.
sign-in-unavailable =
    .heading = { $provider } ist nicht erreichbar
    .text = Es hat sich nichts geändert. Bitte melde dich in ein paar Minuten erneut an.

## Other messages of pages

failed =
    .heading = Etwas ist schiefgegangen
    .text = Das ist unser Fehler, und es ist nichts verloren. Bitte versuche es in einer Minute noch einmal.
account-failed =
    .heading = Etwas ist schiefgegangen
    .text = Wir können deine Adressen gerade nicht anzeigen. Mails dorthin kommen weiterhin an. Bitte versuche es in einer Minute noch einmal.
not-found =
    .heading = Diese Seite gibt es nicht
    .text = Vielleicht ist der Link veraltet oder falsch geschrieben.
read-only =
    .heading = Diese Seite lässt sich nur lesen
    .text = Es hat sich nichts geändert.
use-the-button =
    .heading = Bitte benutze die Schaltfläche
    .text = Es hat sich nichts geändert. Geh zur Startseite und drücke dort auf die Schaltfläche.
invalid-form-text = Das Formular ist abgelaufen oder nicht von dieser Website. Bitte geh zu deinen Adressen und versuche es dort noch einmal.
invalid-sign-out =
    .heading = Du wurdest nicht abgemeldet
    .text = { invalid-form-text }
invalid-check =
    .heading = Es wurde keine Prüfung gestartet
    .text = { invalid-form-text }
invalid-language =
    .heading = Die Sprache wurde nicht geändert
    .text = { invalid-form-text }

## Self-service: the forms of the account page

# A time in UTC.
moment = { $date }, { $time } UTC
manage = Diese Adresse ändern
choose =
    .legend = Mail weiterleiten an
    .button = Speichern
pause =
    .hint = Mach eine Pause, wenn du dort eine Weile keine Mail möchtest. Wer dir schreibt, erfährt es; nichts verschwindet unbemerkt.
    .temporary = Pause: Absender versuchen es einige Tage lang wieder
    .permanent = Pause: Absender bekommen sofort einen Fehler
    .resume = Pause beenden
test-button = Schick mir eine Testnachricht
test-requested = Du hast am { $moment } eine Testnachricht angefordert. Sie ist unterwegs.
test-sent = Deine Testnachricht wurde am { $moment } verschickt. Wenn sie nicht in ein paar Minuten in deinem Postfach ist, schau im Spam-Ordner nach.
test-rejected = Deine Testnachricht wurde nicht angenommen (Status { $status }). Hol dir unten Hilfe.
test-failed = Deine Testnachricht kam nicht an: Der Mailserver von { $destination } hat sie abgelehnt (Status { $status }).
delete =
    .hint = Wenn du sie löschst, wird Mail an sie sofort abgelehnt. Du kannst sie 30 Tage lang wiederherstellen, und niemand sonst bekommt sie je.
    .button = Diese Adresse löschen
    .restore = Diese Adresse wiederherstellen
mailboxes =
    .heading = Deine Postfächer
    .text = Deine Adressen leiten an Postfächer weiter, die du bestätigt hast.
    .add = Postfach hinzufügen
    .label = E-Mail-Adresse des Postfachs
    .replaces = Sobald es bestätigt ist, alle meine Adressen dorthin und nirgends sonst weiterleiten
    .add-hint = Wir schicken einen Code dorthin. Nichts ändert sich, bis du ihn hier eingibst.
    .send = Code schicken
    .resend = Neuen Code schicken
    .remove = Entfernen
mailbox-confirmed =
    .state = Bestätigt am { $date }
    .provider = Von { $provider } bestätigt am { $date }
mailbox-pending =
    .state = Wartet auf deinen Code bis { $until }
    .advice = Wir haben einen Code an dieses Postfach geschickt. Gib ihn hier ein. Du hast noch { $left ->
        [one] einen Versuch
       *[other] { $left } Versuche
    }.
    .replaces = Wir haben einen Code an dieses Postfach geschickt. Gib ihn hier ein, dann leiten alle deine Adressen dorthin und nirgends sonst weiter. Du hast noch { $left ->
        [one] einen Versuch
       *[other] { $left } Versuche
    }.
mailbox-unconfirmed =
    .state = Noch nicht bestätigt
    .advice = Dorthin geht keine Mail, bis du es bestätigst. Wir schicken einen Code dorthin, den du hier eingibst.
mailbox-failing =
    .state = Dieses Postfach lehnt Mail ab
code-label = Code aus der Mail
code-button = Dieses Postfach bestätigen
more =
    .label = Mehr zu deinem Konto

## Self-service: the state of an address

address-unconfirmed =
    .state = { $address } wartet, bis du ein Postfach bestätigst
    .advice = Bis { $until } bitten wir Absender, es später wieder zu versuchen; danach wird Mail abgelehnt. Bestätige unten dein Postfach.
address-unconfirmed-late =
    .state = { $address } lehnt Mail ab, weil kein Postfach bestätigt ist
    .advice = Bestätige unten dein Postfach. Die Zeit dafür endete am { $until }, aber die Adresse bleibt deine.
address-paused =
    .state = { $address } macht Pause
    .advice = Absender werden gebeten, es später wieder zu versuchen. Die meisten geben nach einigen Tagen auf.
address-paused-permanently =
    .state = { $address } macht Pause
    .advice = Absender bekommen sofort eine Fehlermeldung.
address-ends = Sie endet am { $date }.
address-deleted =
    .state = Du hast diese Adresse gelöscht
    .advice = Mail an sie wird abgelehnt. Du kannst sie bis zum { $date } wiederherstellen, und niemand sonst bekommt sie je.
    .late = Mail an sie wird abgelehnt, und sie lässt sich nicht mehr wiederherstellen. Niemand sonst bekommt sie je.
address-returning =
    .state = Deine Adresse kommt zurück

## Self-service: other pages

confirm =
    .heading = Dieses Postfach bestätigen
    .text = Drück den Knopf, dann können deine Adressen an { $mailbox } weiterleiten.
    .replaces = Drück den Knopf, dann leiten alle deine Adressen an { $mailbox } und nirgends sonst weiter.
undo =
    .heading = Warst du das nicht?
    .text = Am { $at } wurden die Postfächer eines Kontos geändert. Wenn du das nicht warst, gib den Code aus der Mail bis { $until } ein. Dann wird die Änderung zurückgenommen, und alle werden abgemeldet.
    .label = Code aus der Mail
    .button = Änderung zurücknehmen
sessions =
    .heading = Deine Sitzungen
    .text = Jeder Browser, in dem du dich angemeldet hast, hat eine Sitzung.
    .this-browser = Dieser Browser
    .end = Dort abmelden
    .end-all-hint = Auch Codes, die du noch nicht eingegeben hast, gelten danach nicht mehr.
    .end-all = Überall abmelden
session-created = Angemeldet am { $moment }
session-last-seen = Zuletzt benutzt am { $moment }
identities =
    .heading = Deine Konten zum Anmelden
    .text = Mit jedem dieser Konten kannst du dich bei deinen Adressen anmelden.
    .adding = Dein Konto wird hinzugefügt. Lade diese Seite gleich neu. Dein Verlauf zeigt, was geschehen ist.
    .removed = Das Konto wurde entfernt, und alle anderen Sitzungen wurden beendet.
    .remove = Entfernen
    .remove-hint = Mit einem entfernten Konto ist keine Anmeldung bei deinen Adressen mehr möglich, und alle deine anderen Sitzungen enden. Die Adressen bleiben deine.
    .last = Zum Anmelden brauchst du ein Konto, darum kannst du dieses nicht entfernen.
    .add = Ein Konto hinzufügen
    .add-hint = Melde dich dort einmal mit dem Konto an, das du hinzufügen möchtest. Wenn dieses Konto hier schon Adressen hat, kommen sie zu deinen dazu.
    .sign-in-first = Zu deiner Sicherheit ist dafür eine Anmeldung in den letzten 10 Minuten nötig.
    .full = Mehr Konten sind nicht möglich. Entferne eines, um ein anderes hinzuzufügen.
identity-name = Name dort: { $name }
identity-id = Kennung: { $id }
identity-since = Hinzugefügt am { $date }
identity-add = Ein weiteres Konto bei { $account } hinzufügen
identity-add-former = Dein Konto bei { $account } hinzufügen
identity-last =
    .heading = Dieses Konto kann nicht entfernt werden
    .text = Zum Anmelden brauchst du ein Konto. Füge zuerst ein anderes hinzu.
history =
    .heading = Dein Verlauf
    .text = Was mit deinen Adressen und deinem Konto geschah, und wer es getan hat.
    .empty = Bisher ist nichts geschehen.
history-by-member = Du
history-by-sync = Der Abgleich mit dem Team
history-by-domain-check = Die Prüfung der Domain
history-by-operator = Jemand aus dem Betriebsteam
history-by-admin = Ein Admin
history-created = Du hast { $address } bekommen.
history-renamed = Du hast nach { $former } die Adresse { $address } bekommen.
history-restored = { $address } funktioniert wieder.
history-leaving = { $address } endet am { $date }. { $reason }
history-suspended = { $address } wurde abgeschaltet. { $reason }
history-deleted = { $address } wurde gelöscht.
history-returning = { $address } wurde wiederhergestellt und wartet auf eine Prüfung.
history-retired = { $address } ist endgültig beendet.
history-paused = Pause für { $address }: Absender versuchen es später wieder.
history-paused-permanently = Pause für { $address }: Absender bekommen einen Fehler.
history-resumed = Die Pause von { $address } ist zu Ende.
history-restore-requested = Eine Prüfung wurde angefordert, um { $address } wiederherzustellen.
history-redirected = { $address } leitet an andere Postfächer weiter.
history-former-mailbox = ein Postfach, das nicht mehr auf deiner Liste steht
history-code-requested = Ein Code ging an: { $mailbox }.
history-mailbox-confirmed = Bestätigt: { $mailbox }.
history-mailbox-removed = Entfernt: { $mailbox }.
history-mailbox-reverted = Wem ein anderes Postfach gehört, hat eine Änderung zurückgenommen: { $mailbox }. Alle wurden abgemeldet.
history-banned = Das Konto wurde gesperrt.
history-unbanned = Das Konto wurde entsperrt.
history-erased = Die persönlichen Daten wurden gelöscht.
history-imported = Das Konto wurde nach einer Wiederherstellung übernommen.
history-sessions-ended = Überall abgemeldet.
history-exported = Die Daten wurden exportiert.
history-linked = Zwei Anmeldungen wurden zu einem Konto.
history-unlinked = Zwei Anmeldungen wurden wieder getrennte Konten.
history-identity-added = Ein Konto zum Anmelden wurde hinzugefügt.
history-identity-removed = Ein Konto wurde entfernt. Alle anderen Sitzungen wurden beendet.
history-limit = Du kannst { $limit } Adressen bei { $domain } haben.
history-limit-removed = Für { $domain } gilt wieder die übliche Zahl von Adressen.
history-admin-added = Du verwaltest jetzt { $domain }.
history-admin-removed = Du verwaltest { $domain } nicht mehr.
history-admin-changed = Du hast als Admin von { $domain } andere Berechtigungen.
export =
    .heading = Deine Daten
    .text = Das ist alles, was wir über dich speichern.
    .button = Als JSON herunterladen
    .sign-in = Anmeldeadresse
    .addresses = Adressen
    .mailboxes = Postfächer
    .sessions = Sitzungen
    .rest = Alles, wie in der Datei
erase =
    .heading = Deine Daten löschen
    .text = Wir löschen deine Postfächer, deine Anmeldeadresse und alles andere über dich, was nicht nötig ist, um deine Adressen reserviert zu halten. Deine Adressen lehnen dann Mail ab, und niemand sonst bekommt sie je. Das lässt sich nicht rückgängig machen.
    .type = Um alles zu löschen, tippe hier { $word }
    .word = LÖSCHEN
    .button = Alles löschen
erased =
    .heading = Deine Daten sind gelöscht
    .text = Das ist deine Quittung vom { $moment }.
    .addresses = Diese Adressen lehnen Mail jetzt ab und bleiben reserviert:
    .none = Du hattest keine Adressen.
    .kept = Wir behalten Aufzeichnungen ohne E-Mail-Adressen darüber, was mit deinen Adressen geschah. Wenn du dich eines Tages wieder anmeldest, fängst du neu an.

## Self-service: what was not done

invalid-form =
    .heading = Nichts hat sich geändert
    .text = { invalid-form-text }
form-too-large =
    .heading = Das ist zu lang
    .text = Nichts hat sich geändert. Bitte gib weniger ein.
sign-in-first =
    .heading = Bitte melde dich zuerst wieder an
    .text = Zu deiner Sicherheit braucht diese Änderung eine Anmeldung in den letzten 10 Minuten. Nichts hat sich geändert. Melde dich wieder an und versuch es dann noch einmal.
erased-account =
    .heading = Deine Daten sind gelöscht
    .text = Nichts hat sich geändert. Melde dich wieder an, um neu anzufangen.
too-many-requests =
    .heading = Bitte warte eine Weile
    .text = Das war zu oft in kurzer Zeit. Nichts hat sich geändert. Bitte versuch es später noch einmal.
bad-mailbox =
    .heading = An dieses Postfach können wir keine Mail weiterleiten
    .text = { $reason } Nichts hat sich geändert.
bad-mailbox-syntax = Eine E-Mail-Adresse hat ein @.
bad-mailbox-local-part = Der Teil vor dem @ hat Zeichen, die nicht jeder Mailserver annimmt.
bad-mailbox-smtputf8 = Der Teil vor dem @ hat Buchstaben außerhalb von ASCII (SMTPUTF8). Viele Mailserver lehnen solche Adressen ab, sodass Mail unterwegs verloren ginge.
bad-mailbox-domain = Der Teil nach dem @ ist kein Domainname wie example.org.
bad-mailbox-too-long = Die Adresse ist zu lang.
bad-mailbox-community = Sie ist in einer der Domains von { $community }, sodass Mail zu uns zurückkäme.
bad-mailbox-mail-host = Sie ist in einer Domain unseres Mailservers, sodass Mail zu uns zurückkäme.
bad-mailbox-null-mx = Ihre Domain gibt an, dass sie keine Mail annimmt (Null-MX).
too-many-mailboxes =
    .heading = Du hast die größte Zahl von Postfächern
    .text = Nichts hat sich geändert. Entferne eines, das du nicht mehr brauchst, und füge dann das neue hinzu.
mailbox-missing =
    .heading = Dieses Postfach steht nicht auf deiner Liste
    .text = Nichts hat sich geändert. Vielleicht wurde es inzwischen entfernt.
mailbox-needed =
    .heading = Dieses Postfach wird noch gebraucht
    .text = Nichts hat sich geändert. Diese Adressen leiten nur dorthin weiter: { $addresses }. Wähle zuerst ein anderes Postfach für sie.
code-malformed =
    .heading = Das ist kein Code
    .text = Ein Code hat acht Buchstaben und Ziffern, etwa BCDF-2345. Dein Versuch wurde nicht gezählt.
code-wrong =
    .heading = Dieser Code stimmt nicht
    .text = Bitte vergleiche ihn mit der neuesten Mail. { $left ->
        [0] Das war der letzte Versuch, bitte fordere einen neuen Code an.
        [one] Du hast noch einen Versuch.
       *[other] Du hast noch { $left } Versuche.
    }
code-expired =
    .heading = Dieser Code gilt nicht mehr
    .text = Ein Code gilt 30 Minuten lang, für fünf Versuche und bis du dich überall abmeldest. Bitte fordere einen neuen an.
confirm-sign-in =
    .heading = Bitte melde dich zuerst an
    .text = Melde dich in diesem Browser an und öffne dann den Link aus der Mail noch einmal. Nichts hat sich geändert.
mailbox-already-confirmed =
    .heading = Dieses Postfach ist bestätigt
    .text = Du brauchst nichts zu tun.
address-missing =
    .heading = Das geht mit dieser Adresse nicht
    .text = Nichts hat sich geändert. Die Adresse steht nicht auf deiner Liste, oder ihr Zustand hat sich inzwischen geändert.
choice-stale =
    .heading = Die Adresse hat sich inzwischen geändert
    .text = Nichts wurde gespeichert. Sieh dir deine Adressen an und wähle dann noch einmal.
choice-unsuitable =
    .heading = Bitte wähle ein bis fünf Postfächer
    .text = Nichts wurde gespeichert. Eine Adresse leitet an mindestens eines und höchstens fünf Postfächer weiter, die du bestätigt hast.
undo-invalid =
    .heading = Diese Änderung lässt sich nicht zurücknehmen
    .text = Vielleicht ist der Link vertippt, älter als 72 Stunden oder zu oft probiert worden. Wenn du die Änderung nicht gemacht hast, hol dir unten Hilfe.
undo-wrong =
    .heading = Dieser Code stimmt nicht
    .text = Nichts hat sich geändert. Öffne den Link aus der Mail noch einmal und tippe den Code aus derselben Mail ein.
undo-done =
    .heading = Die Änderung ist zurückgenommen
    .text = Deine Adressen leiten wie vorher weiter, und alle sind abgemeldet. Ändere jetzt dein Passwort bei { $provider }, melde dich dann an und sieh dir deinen Verlauf an.
erase-not-confirmed =
    .heading = Nichts wurde gelöscht
    .text = Das Wort stimmte nicht. Geh zurück und tippe es genau so, wie es dort steht.

# العربية
# تُرجم عن en.ftl؛ السطر الفارغ داخل النص يبدأ فقرة جديدة.

direction = rtl
date = { $day } { $month ->
    [1] يناير
    [2] فبراير
    [3] مارس
    [4] أبريل
    [5] مايو
    [6] يونيو
    [7] يوليو
    [8] أغسطس
    [9] سبتمبر
    [10] أكتوبر
    [11] نوفمبر
   *[12] ديسمبر
} { $year }

## Around every mail

greeting = مرحبًا { $name }،
service = بريد { $community }
footer-member = وصلتك هذه الرسالة لأن لديك عنوانًا لدى مجتمع { $community }. للوصول إلى من يساعدك ردّ على هذه الرسالة، أو راجع { $help }
footer-admin = وصلتك هذه الرسالة لأنك من مشرفي { $domain } في مجتمع { $community }.
footer-operators = وصلتك هذه الرسالة لأن هذا العنوان مسجّل لمشغّلي بريد { $community }.

## To a member

addresses-button = اعرض عناوينك
stays-yours = يبقى العنوان لك: لن يحصل عليه أحد غيرك أبدًا.

member-created =
    .subject = أصبح العنوان { $address } لك
    .heading = عنوانك جاهز
    .body =
        البريد المرسل إلى { $address } يُحوَّل إليك من الآن، إلى هنا حيث تقرأ هذه الرسالة.

        أرسل إلى نفسك رسالة لتجرّبه.
member-renamed =
    .subject = عنوانك الجديد هو { $address }
    .heading = اسم جديد وعنوان جديد
    .body =
        تغيّر اسمك في Launchpad، فأصبح لك عنوان جديد: البريد المرسل إلى { $address } يُحوَّل إليك من الآن.

        عنوانك السابق { $from } يستمر في تحويل البريد إليك كما كان، ولن يحصل عليه أحد غيرك. أخبر الناس بالعنوان الجديد متى شئت.
member-leaving =
    .subject = ينتهي العنوان { $address } في { $until }
    .heading = ينتهي عنوانك في { $until }
    .body =
        { $reason }

        يُحوَّل البريد المرسل إلى { $address } حتى { $until }. بعد ذلك يُرفض، ويُبلَّغ بذلك كل من يراسلك.
member-restored =
    .subject = يعمل العنوان { $address } كما كان
    .heading = عنوانك يعمل كما كان
    .body = أصبح العنوان { $address } من حقك من جديد. البريد المرسل إليه يُحوَّل إليك كأن شيئًا لم يكن.
member-suspended =
    .subject = أُوقف العنوان { $address }
    .heading = أُوقف عنوانك
    .body =
        { $reason }

        البريد المرسل إلى { $address } يُرفض من الآن، ويُبلَّغ بذلك كل من يراسلك.
member-destination =
    .subject = البريد المرسل إلى { $address } لا يصلك
    .heading = البريد المرسل إلى { $address } لا يصلك
    .body =
        خادم البريد الذي يُحوَّل إليه بريد { $address } يرفض استلام بريدك، وقد أجاب: { $reply }. ما دام كذلك فلن يصلك البريد المرسل إلى { $address }.

        تحقّق من صندوق بريدك: ربما امتلأ أو لم يعد لك. إن تعذّر عليك ذلك فردّ على هذه الرسالة لنساعدك.

# Why, in a sentence.
reason-eligible = أصبح العنوان من حقك من جديد.
reason-loop = كان البريد سيدور في حلقة: العنوان الذي تسجّل الدخول به يقع في أحد نطاقات مجتمع { $community } نفسه.
reason-not-in-team = لم تعد عضوًا في الفريق الذي يمنح عناوين { $domain }.
reason-not-valid = يفيد Launchpad بأن حسابك غير نشط.
reason-code-of-conduct-withdrawn = لم يعد توقيعك على ميثاق السلوك موجودًا.
reason-banned = حظر أحد مشغّلي بريد { $community } حسابك.
reason-ban-lifted = لم يعد حسابك محظورًا.

# What to do, by the same reasons.
next-eligible = ليس عليك فعل أي شيء.
next-loop = اختر عنوانًا آخر لدى { $provider }، ثم سجّل الدخول هنا من جديد.
next-not-in-team = إن لم يكن ذلك صحيحًا فتحدّث إلى مشرفي الفريق. وحين تعود عضوًا سجّل الدخول هنا، فيعود كل شيء كما كان.
next-not-valid = حين يصبح حسابك نشطًا في Launchpad من جديد سجّل الدخول هنا، فيعود كل شيء كما كان.
next-code-of-conduct-withdrawn = وقّع الميثاق في Launchpad من جديد، ثم سجّل الدخول هنا، فيعود كل شيء كما كان.
next-banned = إن رأيت أن هذا خطأ فردّ على هذه الرسالة.
next-ban-lifted = يعود عنوانك خلال ساعات، أو فورًا حين تسجّل الدخول هنا.

## To the admins of a domain

digest =
    .subject = { $count ->
        [zero] لا تغييرات في { $domain }
        [one] تغيير واحد في { $domain }
        [two] تغييران في { $domain }
        [few] { $count } تغييرات في { $domain }
        [many] { $count } تغييرًا في { $domain }
       *[other] { $count } تغيير في { $domain }
    }
    .heading = ما الذي تغيّر في { $domain }
    .body = لا يُطلب منك شيء؛ هذا لتكون على علم فحسب.
digest-more = { $count ->
    [zero] ولا شيء غير ذلك:
    [one] وتغيير آخر تجده في سجل التدقيق:
    [two] وتغييران آخران تجدهما في سجل التدقيق:
    [few] و{ $count } تغييرات أخرى تجدها في سجل التدقيق:
    [many] و{ $count } تغييرًا آخر تجدها في سجل التدقيق:
   *[other] و{ $count } تغيير آخر تجدها في سجل التدقيق:
}
news-created = جديد
news-restored = عاد من جديد
news-loop = أُوقف: كان البريد سيدور في حلقة
news-removed-eligible = أُوقف
news-removed-not-in-team = أُوقف: لم يعد صاحبه في الفريق
news-removed-not-valid = أُوقف: حساب Launchpad غير نشط
news-removed-code-of-conduct-withdrawn = أُوقف: ميثاق السلوك لم يعد موقّعًا
news-removed-banned = أُوقف: حظره أحد المشغّلين
news-removed-ban-lifted = أُوقف حتى المزامنة القادمة
count-created = جديدة
count-restored = عادت من جديد
count-loop = أُوقفت بسبب حلقة
count-removed = أُوقفت
absent-admins = لم يسجّل { $names } من { $domain } الدخول هنا قط، فلا عنوان لمراسلتهم. تصلك هذه الرسالة بدلًا منهم.

held =
    .subject = مزامنة { $domain } في انتظارك
    .heading = مزامنة { $domain } تحتاج إلى من ينظر فيها
    .body =
        ستأخذ المزامنة { $taken ->
            [zero] صفرًا
            [one] عنوانًا واحدًا
            [two] عنوانين
            [few] { $taken } عناوين
            [many] { $taken } عنوانًا
           *[other] { $taken } عنوان
        } من العناوين النشطة وعددها { $active }. هذا أكثر مما يجري دون أن ينظر فيه أحد، ولذلك لم يتغيّر شيء.

        انظر فيما ستفعله، ثم دعها تستمر أو ألغها:
held-active = العناوين النشطة
held-create = ستُمنح
held-rename = ستتغيّر
held-restore = ستعود
held-leave = ستنتهي بعد مهلة
held-suspend = ستُوقف
held-retire = ستُمحى بياناتها
held-show = انظر فيها
held-release = دعها تستمر
held-reject = ألغها

domain-verified =
    .subject = أثبت النطاق { $domain } نفسه
    .heading = أثبت النطاق { $domain } نفسه
    .body = النطاق تابع لمجتمع { $community }، فيحصل الأعضاء على عناوين فيه من الآن.
domain-record-gone =
    .subject = اختفى سجل النطاق { $domain }
    .heading = اختفى سجل النطاق { $domain }
    .body =
        سجل TXT الذي يثبت به { $domain } أنه تابع لمجتمع { $community } لم يعد موجودًا في DNS. تُمنح عناوين جديدة حتى { $until } رغم ذلك، وتستمر العناوين القائمة على كل حال.

        أعد السجل. هذا الأمر يعرضه:
domain-lapsed =
    .subject = لم يعد { $domain } يمنح عناوين جديدة
    .heading = لم يعد { $domain } يمنح عناوين جديدة
    .body =
        السجل الذي يثبت به { $domain } أنه تابع لمجتمع { $community } غائب منذ مدة طويلة. تستمر العناوين القائمة، وتُمنح عناوين جديدة حين يعود السجل.

        أعد السجل. هذا الأمر يعرضه:
domain-restored =
    .subject = عاد سجل النطاق { $domain }
    .heading = عاد سجل النطاق { $domain }
    .body = يثبت { $domain } من جديد أنه تابع لمجتمع { $community }، ويمنح عناوين جديدة كما كان.
domain-unverified =
    .subject = على { $domain } أن يثبت نفسه من جديد
    .heading = على { $domain } أن يثبت نفسه من جديد
    .body =
        سحب أحد المشغّلين اعتبار { $domain } مثبتًا. من الآن يقرّر سجله في DNS هل تُمنح عناوين جديدة، وتستمر العناوين القائمة على كل حال.

        هذا الأمر يعرض السجل:
domain-show = السجل

## To the operators

failure =
    .subject = توقّفت { $step }: { $error }
    .heading = توقّفت { $step }
    .body = فشلت رسالة مرات كثيرة فلن تُعاد محاولتها. وهي في طابور الرسائل الميتة مع كل ما يلزم لإعادتها.
failure-refused =
    .subject = رُفض إشعار: { $reply }
    .heading = رُفض إشعار
    .body = رفض خادم البريد إشعارًا رفضًا نهائيًا. لن يُرسل من جديد.
failure-counted = { $count ->
    [zero] لم يتكرّر ذلك منذ آخر رسالة عنه.
    [one] تكرّر ذلك مرة واحدة منذ آخر رسالة عنه.
    [two] تكرّر ذلك مرتين منذ آخر رسالة عنه.
    [few] تكرّر ذلك { $count } مرات منذ آخر رسالة عنه.
    [many] تكرّر ذلك { $count } مرة منذ آخر رسالة عنه.
   *[other] تكرّر ذلك { $count } مرة منذ آخر رسالة عنه.
}
failure-quiet = إن تكرّر خلال { $hours ->
    [zero] الساعة
    [one] ساعة
    [two] ساعتين
    [few] { $hours } ساعات
    [many] { $hours } ساعة
   *[other] { $hours } ساعة
} فسيُعدّ فقط، وتخبرك الرسالة التالية كم مرة.
failure-member = الاسم في Launchpad
failure-step = الخطوة
failure-error = الخطأ
failure-cause = السبب
failure-request = معرّف الطلب
failure-nobody = لا يخصّ عضوًا بعينه

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
thousands = ,

## Around every mail

greeting = مرحبًا { $name }،
service = بريد { $community }
footer-member = وصلتك هذه الرسالة لأن لديك عنوانًا لدى مجتمع { $community }. إن احتجت إلى مساعدة فردّ على هذه الرسالة، أو راجع { $help }
footer-admin = وصلتك هذه الرسالة لأنك من مشرفي { $domain } في مجتمع { $community }.
footer-operators = وصلتك هذه الرسالة لأن هذا العنوان مسجّل لمشغّلي بريد { $community }.

## To a member

addresses-button = اعرض عناوينك
stays-yours = يبقى العنوان لك: لن يحصل عليه عضو آخر أبدًا.

member-created =
    .subject = أصبح العنوان { $address } لك
    .heading = عنوانك جاهز
    .body =
        البريد المرسل إلى { $address } يُحوَّل من الآن إلى هذا الصندوق.

        أرسل إلى نفسك رسالة لتجرّبه.
member-renamed =
    .subject = عنوانك الجديد هو { $address }
    .heading = اسم جديد وعنوان جديد
    .body =
        تغيّر اسمك في Launchpad، فأصبح لك عنوان جديد: البريد المرسل إلى { $address } يُحوَّل إليك من الآن.
    .former = عنوانك السابق { $from } يستمر في تحويل البريد إليك كما كان، ولن يحصل عليه عضو آخر أبدًا. أخبر الناس بالعنوان الجديد متى شئت.
member-leaving =
    .subject = ينتهي العنوان { $address } في { $until }
    .heading = ينتهي عنوانك في { $until }
    .body =
        { $reason }

        يُحوَّل البريد المرسل إلى { $address } حتى { $until }. بعد ذلك يُرفض، ويُبلَّغ المرسل بذلك.
member-restored =
    .subject = يعمل العنوان { $address } كما كان
    .heading = عنوانك يعمل كما كان
    .body = أصبح العنوان { $address } من حقك من جديد. البريد المرسل إليه يُحوَّل إليك كما كان.
member-returned =
    .subject = عاد العنوان { $address }
    .heading = عاد عنوانك
    .body =
        مرحبًا بعودتك: أصبح العنوان { $address } لك من جديد. البريد المرسل إليه يُحوَّل من الآن إلى هذا الصندوق.

        أرسل إلى نفسك رسالة لتجرّبه.
member-suspended =
    .subject = أُوقف العنوان { $address }
    .heading = أُوقف عنوانك
    .body =
        { $reason }

        البريد المرسل إلى { $address } يُرفض من الآن، ويُبلَّغ المرسل بذلك.
member-destination =
    .subject = البريد المرسل إلى { $address } لا يصلك
    .heading = البريد المرسل إلى { $address } لا يصلك
    .body =
        خادم البريد الذي يُحوَّل إليه بريد { $address } يرفض استلام بريدك، وقد أجاب: { $reply }. ما لم يتغيّر ذلك فلن يصلك البريد المرسل إلى { $address }.

        تحقّق من صندوق بريدك: ربما امتلأ أو لم يعد لك. إن تعذّر عليك ذلك فردّ على هذه الرسالة لنساعدك.

member-linked =
    .subject = أصبح حسابا تسجيل دخولك حسابًا واحدًا
    .heading = أصبح حسابا تسجيل دخولك حسابًا واحدًا
    .body =
        سجّلت الدخول إلى بريد { $community } بحسابين مختلفين لدى { $provider }. كلاهما للشخص نفسه، فأصبحا هنا حسابًا واحدًا من الآن. وصلت هذه الرسالة إلى عنواني تسجيل الدخول كليهما.

        أيًّا كان الحساب الذي تسجّل به الدخول فسترى جميع عناوينك. ويستمر كل عنوان في تحويل البريد إلى الصندوق نفسه كما كان، وليس عليك فعل أي شيء.

        إن لم تكن أنت من فعل ذلك، أو لم يكن حساب تسجيل الدخول الآخر لك، فردّ على هذه الرسالة. سننظر في الأمر معك، ويمكننا التراجع عنه.

# Why, in a sentence.
reason-eligible = أصبح العنوان من حقك من جديد.
reason-loop = كان عنوانك سيحوّل البريد إلى نفسه: عنوان البريد الذي تسجّل الدخول به يقع في أحد نطاقات مجتمع { $community }.
reason-not-in-team = لم تعد عضوًا في الفريق الذي يمنح عناوين { $domain }.
reason-not-valid = لم يعد Launchpad يعدّ حسابك صالحًا.
reason-deactivated = حسابك في Launchpad معطَّل.
reason-account-suspended = حسابك في Launchpad موقوف.
reason-account-closed = حسابك في Launchpad مغلق.
reason-no-preferred-address = ليس في حسابك في Launchpad عنوان بريد مفضَّل.
reason-code-of-conduct-withdrawn = لم يعد في حسابك في Launchpad ميثاق سلوك موقَّع.
reason-banned = حظر أحد مشغّلي بريد { $community } حسابك.
reason-ban-lifted = لم يعد حسابك محظورًا.
reason-domain-retired = يتخلى مجتمع { $community } عن النطاق { $domain }، لذا تنتهي جميع عناوينه.
reason-unassigned = لا نعرف بعد لمن هذا العنوان.

# What to do, by the same reasons.
next-eligible = ليس عليك فعل أي شيء.
next-loop = اختر عنوان بريد آخر لدى { $provider }، ثم سجّل الدخول مرة أخرى.
next-not-in-team = إن كان ذلك خطأ فاسأل مشرفي الفريق. وحين تعود عضوًا افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان.
next-not-valid = يبيّن ملفك الشخصي في Launchpad ما ينقص. وحين تُحلّ المشكلة افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان. إن تعذّر عليك ذلك فردّ على هذه الرسالة.
next-deactivated = إن أردت مواصلة استخدامه فأعد تفعيله بتسجيل الدخول إلى Launchpad. ثم افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان.
next-account-suspended = لا يستطيع تغيير ذلك إلا مديرو Launchpad، فاسألهم من فضلك. وحين يصبح حسابك نشطًا من جديد افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان.
next-account-closed = لا يمكن إعادة فتح حساب مغلق. إن كنت تستخدم الآن حسابًا آخر في Launchpad فسجّل الدخول به، ثم ردّ على هذه الرسالة: يمكننا أن نجمع عنوانك به.
next-no-preferred-address = اختر عنوان بريد مفضَّلًا في Launchpad. ثم افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان.
next-code-of-conduct-withdrawn = وقّع ميثاق السلوك في Launchpad. ثم افتح عناوينك واضغط «Check again»، فيعمل كل شيء كما كان.
next-banned = إن رأيت أن هذا خطأ فردّ على هذه الرسالة.
next-ban-lifted = يعود عنوانك خلال بضع ساعات. ليعود فورًا افتح عناوينك واضغط «Check again».
next-domain-retired = أعطِ الناس عنوانًا آخر لك قبل ذلك الموعد. وإن كان لك عنوان في نطاق آخر من نطاقات المجتمع فلا يتغير فيه شيء.
next-unassigned = إن كان العنوان لك فأجب عن هذه الرسالة.

## To the admins of a domain

digest =
    .subject = { $count ->
        [zero] لا تغييرات في { $domain }
        [one] تغيير واحد في { $domain }
        [two] تغييران في { $domain }
        [few] { $number } تغييرات في { $domain }
        [many] { $number } تغييرًا في { $domain }
       *[other] { $number } تغيير في { $domain }
    }
    .heading = ما الذي تغيّر في { $domain }
    .body = هذا للعلم فحسب؛ ليس عليك فعل أي شيء.
digest-more = { $count ->
    [zero] ولا شيء غير ذلك:
    [one] وتغيير آخر تجده في سجل التدقيق:
    [two] وتغييران آخران تجدهما في سجل التدقيق:
    [few] و{ $number } تغييرات أخرى تجدها في سجل التدقيق:
    [many] و{ $number } تغييرًا آخر تجدها في سجل التدقيق:
   *[other] و{ $number } تغيير آخر تجدها في سجل التدقيق:
}
news-created = جديد
news-restored = عاد من جديد
news-loop = أُوقف: كان سيحوّل البريد إلى نفسه
news-removed-eligible = أُوقف
news-removed-not-in-team = أُوقف: لم يعد صاحبه في الفريق
news-removed-not-valid = أُوقف: حساب Launchpad غير صالح
news-removed-deactivated = أُوقف: حساب Launchpad معطَّل
news-removed-account-suspended = أُوقف: حساب Launchpad موقوف
news-removed-account-closed = أُوقف: حساب Launchpad مغلق
news-removed-no-preferred-address = أُوقف: ليس في حساب Launchpad عنوان بريد مفضَّل
news-removed-code-of-conduct-withdrawn = أُوقف: ميثاق السلوك لم يعد موقّعًا
news-removed-banned = أُوقف: حظره أحد المشغّلين
news-removed-ban-lifted = أُوقف حتى المزامنة القادمة
news-removed-domain-retired = أُوقف: النطاق في طور الإنهاء
news-removed-unassigned = أُوقف: صاحبه غير معروف
count-created = جديدة
count-restored = عادت من جديد
count-loop = أُوقفت بسبب حلقة
count-removed = أُوقفت
no-admin = ليس للنطاق { $domain } مشرف يمكنه التصرّف، فوصلتك هذه الرسالة بصفتك من المشغّلين. يجب أن يكون المشرف مربوطًا، وحسابه في Launchpad صالحًا، وله عنوان نشط.
no-admin-documented = يذكر ملف المجتمع هؤلاء المشرفين: { $names }. الأسماء وحدها لا تمنح أي حق، فاربط الأعضاء.
no-admin-bind = اربط مشرفًا

held =
    .subject = مزامنة { $domain } في انتظارك
    .heading = مزامنة { $domain } تحتاج إلى من ينظر فيها
    .body =
        ستُغيّر المزامنة أكثر مما يجري دون أن ينظر فيه أحد، ولذلك لم يتغيّر شيء سوى ما حُظر.

        انظر فيما ستفعله، ثم دعها تستمر أو ألغها:
held-many-grants = عناوين كثيرة ستُمنح خلال 24 ساعة
held-many-removals = عناوين كثيرة ستُسحب خلال 24 ساعة
held-many-suspensions = مهل كثيرة ستنتهي خلال 24 ساعة
held-many-retirements = بيانات كثيرة ستُمحى خلال 24 ساعة
held-of = { $count } مقابل { $of } عنوان
held-active = العناوين النشطة
held-create = ستُمنح
held-rename = ستتغيّر
held-restore = ستعود
held-leave = ستنتهي بعد مهلة
held-suspend = ستُوقف
held-retire = ستُمحى بياناتها
held-unverified = لم يُبحث عنها بعد
held-show = انظر فيها
held-release = دعها تستمر
held-reject = ألغها

release-resent =
    .subject = أُعيد بدء مزامنة { $domain } الموافَق عليها
    .heading = أُعيد بدء مزامنة { $domain } الموافَق عليها
    .body =
        وافق أحد المشغّلين على هذه المزامنة، لكن الرسالة التي تنفّذها ضاعت. أُرسلت من جديد، فلا يلزمك أن تفعل شيئًا. إذا لم تُنفَّذ خلال بضع ساعات، فاطلب من المشغّلين أن ينظروا في الطوابير.

        انظر في المزامنة:

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
domain-unlisted =
    .subject = النطاق { $domain } غير موجود في ملف المجتمع
    .heading = النطاق { $domain } غير موجود في ملف المجتمع
    .body =
        الجدول فيه { $domain }، ولم يعد ملف المجتمع يذكره. تستمر عناوينه في التحويل، ولا يحصل أحد على عنوان جديد فيه. ولا ينتهي شيء حتى يقرر مشغّل ذلك.

        إن كان ذلك خطأ فأعد النطاق إلى الملف. وإن كان مجتمع { $community } يتخلى عنه فأنهِه. هذا الأمر من غير خيار آخر يعرض ما سيحدث فقط:
domain-retire = إنهاء النطاق
domain-retiring =
    .subject = يُتخلى عن { $domain } وتنتهي عناوينه في { $until }
    .heading = يُتخلى عن { $domain }
    .body =
        ينهي أحد المشغّلين النطاق { $domain }. تحوّل عناوينه البريد حتى { $until }، ويُخبَر كل عضو بذلك. وبعدها يُرفض البريد ويُخبَر المرسل.

        وحتى ذلك الموعد يستطيع المشغّل أن يتراجع.
domain-retirement-cancelled =
    .subject = يبقى النطاق { $domain }
    .heading = يبقى النطاق { $domain }
    .body = ألغى أحد المشغّلين إنهاء النطاق { $domain }. تعمل عناوينه كما كانت، ويُخبَر الأعضاء بذلك.
domain-show = السجل

## To the operators

failure =
    .subject = توقّفت { $step }: { $error }
    .heading = توقّفت { $step }
    .body = فشلت رسالة نهائيًا فلن تُعاد محاولتها. وهي في طابور الرسائل الميتة مع كل ما يلزم لإعادتها.
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

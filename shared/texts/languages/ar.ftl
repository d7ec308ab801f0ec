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

        لتجرّبه، أرسل رسالة من عنوان آخر إلى { $address }.
member-renamed =
    .subject = عنوانك الجديد هو { $address }
    .heading = اسم جديد وعنوان جديد
    .body =
        تغيّر اسمك في { $source }، فأصبح لك عنوان جديد: البريد المرسل إلى { $address } يُحوَّل إليك من الآن.
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

        لتجرّبه، أرسل رسالة من عنوان آخر إلى { $address }.
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

member-refused-message =
    .subject = بعض البريد المرسل إلى { $address } لم يصلك
    .heading = بعض البريد المرسل إلى { $address } لم يصلك
    .body =
        خادم البريد الذي يُحوَّل إليه بريد { $address } رفض رسالة مرسلة إليك، وقد أجاب: { $reply }. يحدث ذلك عادةً إذا بدت الرسالة مزعجة أو كانت كبيرة جدًا، ويصلك البريد الآخر كالمعتاد.

        إن افتقدت رسالة فاطلب من مرسلها أن يكتب إليك على عنوان آخر، أو ردّ على هذه الرسالة لنساعدك.

member-linked =
    .subject = أصبح حسابا تسجيل دخولك حسابًا واحدًا
    .heading = أصبح حسابا تسجيل دخولك حسابًا واحدًا
    .body =
        سجّلت الدخول إلى بريد { $community } بحسابين مختلفين لدى { $provider }. كلاهما للشخص نفسه، فأصبحا هنا حسابًا واحدًا من الآن. وصلت هذه الرسالة إلى عنواني تسجيل الدخول كليهما.

        أيًّا كان الحساب الذي تسجّل به الدخول فسترى جميع عناوينك. ويستمر كل عنوان في تحويل البريد إلى الصندوق نفسه كما كان، وليس عليك فعل أي شيء.

        إن لم تكن أنت من فعل ذلك، أو لم يكن حساب تسجيل الدخول الآخر لك، فردّ على هذه الرسالة. سننظر في الأمر معك، ويمكننا التراجع عنه.

role-appointed =
    .subject = أصبحت من مشرفي { $domain }
    .heading = أصبحت من مشرفي { $domain }
    .body =
        يمكنك إدارة { $domain } في صفحات المشرفين، وستصلك رسائل مشرفي النطاق، مثل قائمة العناوين التي تغيّرت.

        إن لم ترغب في ذلك أو كان فيه خطأ فردّ على هذه الرسالة.

        وهذا ما يمكنك فعله هناك:
role-changed =
    .subject = تغيّرت صلاحياتك في { $domain }
    .heading = تغيّرت صلاحياتك في { $domain }
    .body = هذا ما يمكنك فعله الآن في صفحات المشرفين الخاصة بنطاق { $domain }:
role-removed =
    .subject = لم تعد من مشرفي { $domain }
    .heading = لم تعد من مشرفي { $domain }
    .body =
        أُغلقت أمامك صفحات مشرفي هذا النطاق، ولن تصلك رسائل مشرفيه بعد الآن. أما عناوينك فتبقى كما هي.

        إن كان في ذلك خطأ فردّ على هذه الرسالة.
role-console = افتح صفحات المشرفين
role-view = الاطّلاع
    .allows = الاطّلاع على صفحات النطاق وفحص سجلات DNS
role-decide = البتّ في المزامنات
    .allows = الإفراج عن المزامنات الموقوفة أو رفضها، واستعادة العناوين، وحجز الأسماء
role-ban = حظر الأعضاء
    .allows = حظر الأعضاء ورفع الحظر
role-appoint = تعيين المشرفين
    .allows = تعيين المشرفين وإزالتهم

# Why, in a sentence.
reason-eligible = أصبح العنوان من حقك من جديد.
reason-loop = كان عنوانك سيحوّل البريد إلى نفسه: عنوان البريد الذي تسجّل الدخول به يقع في أحد نطاقات مجتمع { $community }.
reason-not-in-team = لم تعد عضوًا في الفريق الذي يمنح عناوين { $domain }.
reason-not-valid = لم يعد { $source } يعدّ حسابك صالحًا.
reason-deactivated = حسابك في { $source } معطَّل.
reason-account-suspended = حسابك في { $source } موقوف.
reason-account-closed = حسابك في { $source } مغلق.
reason-no-preferred-address = ليس في حسابك في { $source } عنوان بريد مفضَّل.
reason-code-of-conduct-withdrawn = لم يعد في حسابك في { $source } ميثاق سلوك موقَّع.
reason-banned = حظر أحد مشرفي بريد { $community } حسابك.
reason-ban-lifted = لم يعد حسابك محظورًا.
reason-domain-retired = يتخلى مجتمع { $community } عن النطاق { $domain }، لذا تنتهي جميع عناوينه.
reason-unassigned = لا نعرف بعد لمن هذا العنوان.
reason-deleted = لقد حذفت هذا العنوان.
reason-returning = لقد استعدت هذا العنوان.
reason-erased = لقد محوت بياناتك.

ban-reason = السبب: { $comment }

# What to do, by the same reasons.
next-eligible = ليس عليك فعل أي شيء.
next-loop = اختر عنوان بريد آخر لدى { $provider }، ثم سجّل الدخول مرة أخرى.
next-not-in-team = إن كان ذلك خطأ فاسأل مشرفي الفريق. وحين تعود عضوًا افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان.
next-not-valid = يبيّن ملفك الشخصي في { $source } ما ينقص. وحين تُحلّ المشكلة افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان. إن تعذّر عليك ذلك فردّ على هذه الرسالة.
next-deactivated = إن أردت مواصلة استخدامه فأعد تفعيله بتسجيل الدخول إلى { $source }. ثم افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان.
next-account-suspended = لا يستطيع تغيير ذلك إلا مديرو { $source }، فاسألهم من فضلك. وحين يصبح حسابك نشطًا من جديد افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان.
next-account-closed = لا يمكن إعادة فتح حساب مغلق. إن كنت تستخدم الآن حسابًا آخر في { $source } فسجّل الدخول به، ثم ردّ على هذه الرسالة: يمكننا أن نجمع عنوانك به.
next-no-preferred-address = اختر عنوان بريد مفضَّلًا في { $source }. ثم افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان.
next-code-of-conduct-withdrawn = وقّع ميثاق السلوك في { $source }. ثم افتح عناوينك واضغط «{ check-again }»، فيعمل كل شيء كما كان.
next-banned = إن رأيت أن هذا خطأ فردّ على هذه الرسالة.
next-ban-lifted = يعود عنوانك خلال بضع ساعات. ليعود فورًا افتح عناوينك واضغط «{ check-again }».
next-domain-retired = أعطِ الناس عنوانًا آخر لك قبل ذلك الموعد. وإن كان لك عنوان في نطاق آخر من نطاقات المجتمع فلا يتغير فيه شيء.
next-unassigned = إن كان العنوان لك فأجب عن هذه الرسالة.
next-deleted = يمكنك استعادته من صفحتك خلال 30 يومًا، وبعدها لا يمكن إرجاعه.
next-returning = نتحقق الآن من عضويتك. بمجرد أن نتأكد من أنك عضو، سيعمل كل شيء كما كان.
next-erased = إذا أردت استخدام العنوان مرة أخرى يومًا ما، فسجّل الدخول من جديد.

## About the mailboxes of a member

member-deleted =
    .subject = لقد حذفت العنوان { $address }
    .heading = حُذف عنوانك
    .body =
        لقد حذفت العنوان { $address }. البريد المرسل إليه يُرفض من الآن، ويُبلَّغ المرسل بذلك.

        يمكنك استعادته من صفحتك حتى { $until }. بعد ذلك لا يمكن إرجاعه، ولن يحصل عليه عضو آخر أبدًا.

        إن لم تكن أنت من فعل ذلك فاستعد العنوان، وأنهِ جميع الجلسات من صفحتك، ثم ردّ على هذه الرسالة.
member-unconfirmed =
    .subject = أصبح العنوان { $address } لك: أكّد صندوق بريدك من فضلك
    .heading = أكّد صندوق بريدك من فضلك
    .body =
        أصبح العنوان { $address } لك. قبل أن نحوّل البريد إلى هذا الصندوق، أكّد من فضلك أنه لك: افتح عناوينك، واطلب أن نرسل إليك رمزًا، ثم اكتبه هناك.

        وحتى ذلك الحين لا يصلك البريد المرسل إلى { $address }. ينتظر البريد أولًا لدى خوادم المرسلين، وبعد ثلاثة أيام يُرفض ويُبلَّغ المرسل بذلك.
member-one-destination =
    .subject = أحد صناديق البريد للعنوان { $address } يرفض البريد
    .heading = أحد صناديق البريد للعنوان { $address } يرفض البريد
    .body =
        يُحوَّل بريد { $address } إلى عدة صناديق، وأحدها يرفض البريد. كان جواب خادمه: { $reply }. أما الصناديق الأخرى فيصلها بريدك كما كان.

        تحقّق من ذلك الصندوق من فضلك: ربما امتلأ أو لم يعد لك. ويمكنك أيضًا إزالته من صفحتك. إن تعذّر عليك ذلك فردّ على هذه الرسالة لنساعدك.
member-failing =
    .subject = أحد صناديق البريد للعنوان { $address } لم يعد يصله البريد
    .heading = أحد صناديق البريد للعنوان { $address } لم يعد يصله البريد
    .body =
        أحد الصناديق التي يُحوَّل إليها بريد { $address } يرفض البريد منذ { $since }. كان آخر جواب من خادمه: { $reply }.

        تبيّن صفحتك أي صندوق هو. تحقّق منه من فضلك: ربما امتلأ أو لم يعد لك. ويمكنك هناك أيضًا اختيار صندوق آخر لعناوينك. إن تعذّر عليك ذلك فردّ على هذه الرسالة لنساعدك.
member-test =
    .subject = رسالة تجريبية إلى { $address }
    .heading = وصلت رسالتك التجريبية
    .body = طلبت هذه الرسالة من صفحتك. أرسلناها إلى { $address }، وحُوِّلت بالطريقة نفسها التي يُحوَّل بها سائر البريد. إذن فالبريد المرسل إلى هذا العنوان يصل إلى هذا الصندوق.

destination-code =
    .subject = أكّد صندوق بريدك لدى بريد { $community }
    .heading = أكّد صندوق بريدك
    .body =
        طلب منا شخص ما تحويل بريده لدى { $community } إلى هذا الصندوق. إن كنت أنت من طلب ذلك فاكتب هذا الرمز في صفحتك، أو افتح الصفحة أدناه وأكّد هناك. الرمز صالح لمدة 30 دقيقة، حتى الساعة { $time } بالتوقيت العالمي.
    .label = رمزك
    .after = إن لم تكن أنت من طلب ذلك فتجاهل هذه الرسالة: لا يحدث شيء من دون الرمز.
    .button = أكّد هذا الصندوق
    .footer = وصلتك هذه الرسالة لأن شخصًا ما كتب هذا العنوان لدى بريد { $community }. إن تكرّر وصول مثل هذه الرسائل إليك فردّ على هذه الرسالة.
destination-requested =
    .subject = يُضاف صندوق بريد إلى بريدك لدى { $community }
    .heading = يُضاف صندوق بريد
    .body =
        في { $date } عند الساعة { $time } بالتوقيت العالمي طلبت إضافة صندوق آخر إلى بريدك لدى { $community }. لم يتغيّر شيء بعد: لا يُحوَّل البريد إليه إلا بعد أن تكتب الرمز الذي أرسلناه إليه.

        إن لم تكن أنت من طلب ذلك فقد سجّل شخص آخر الدخول إلى حسابك. افتح عناوينك، وأنهِ جميع الجلسات هناك، وتحقّق من حسابك لدى { $provider }. إن تعذّر عليك ذلك فردّ على هذه الرسالة.
destination-confirmed =
    .subject = أُضيف صندوق بريد إلى بريدك لدى { $community }
    .heading = أُضيف صندوق بريد
    .body = في { $date } عند الساعة { $time } بالتوقيت العالمي جرى تأكيد صندوق آخر لبريدك لدى { $community }. يمكن الآن تحويل بريد عناوينك إليه.
destination-removed =
    .subject = أُزيل صندوق بريد من بريدك لدى { $community }
    .heading = أُزيل صندوق بريد
    .body = في { $date } عند الساعة { $time } بالتوقيت العالمي أُزيل صندوق من بريدك لدى { $community }. لم يعد بريد أي من عناوينك يُحوَّل إليه.
destination-redirected =
    .subject = يُحوَّل بريد { $address } إلى صناديق أخرى
    .heading = يُحوَّل بريد { $address } إلى صناديق أخرى
    .body = في { $date } عند الساعة { $time } بالتوقيت العالمي اختيرت صناديق أخرى للعنوان { $address }.
destination-reverted =
    .subject = جرى التراجع عن تغيير في بريدك لدى { $community }
    .heading = جرى التراجع عن تغيير
    .body =
        في { $date } عند الساعة { $time } بالتوقيت العالمي جرى التراجع عن تغيير في صناديق بريدك برمز من إحدى رسائلنا. عاد بريد عناوينك يُحوَّل إلى حيث كان، وأُنهيت جميع الجلسات.

        سجّل الدخول من جديد وتحقّق من صناديق بريدك. وتحقّق كذلك من حسابك لدى { $provider }: ربما يستطيع شخص آخر تسجيل الدخول باسمك.
account-added =
    .subject = أُضيف حساب إلى بريدك لدى { $community }
    .heading = أُضيف حساب
    .body =
        في { $date } عند الساعة { $time } بالتوقيت العالمي أُضيف حساب لدى { $account } إلى بريدك لدى { $community }. يمكنك الآن تسجيل الدخول به.

        إن لم تكن أنت من فعل ذلك فافتح عناوينك، وأزل الحساب، وأنهِ جميع الجلسات. إن تعذّر عليك ذلك فردّ على هذه الرسالة.
account-removed =
    .subject = أُزيل حساب من بريدك لدى { $community }
    .heading = أُزيل حساب
    .body =
        في { $date } عند الساعة { $time } بالتوقيت العالمي أُزيل حساب لدى { $account } من بريدك لدى { $community }. لم يعد ممكنًا تسجيل الدخول به إلى عناوينك، وأُنهيت جميع الجلسات الأخرى.

        إن لم تكن أنت من فعل ذلك فردّ على هذه الرسالة. سنساعدك.
destination-undo =
    .body =
        إن كنت أنت من فعل ذلك فليس عليك فعل أي شيء.

        وإن لم تكن أنت فافتح الصفحة أدناه واكتب هذا الرمز. بذلك يُتراجَع عن التغيير وتُنهى جميع الجلسات. هذا ممكن حتى { $date }، الساعة { $time } بالتوقيت العالمي.
    .label = رمز «لم أكن أنا»
    .button = لم أكن أنا
destination-no-undo = إن لم تكن أنت من فعل ذلك فافتح عناوينك، وأنهِ جميع الجلسات هناك، ثم ردّ على هذه الرسالة. سنساعدك.

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
digest-show = اعرض كل التغييرات
digest-others = تغييرات أخرى
news-created = جديد
news-restored = عاد من جديد
news-loop = أُوقف: كان سيحوّل البريد إلى نفسه
news-removed-eligible = أُوقف
news-removed-not-in-team = أُوقف: لم يعد صاحبه في الفريق
news-removed-not-valid = أُوقف: حساب { $source } غير صالح
news-removed-deactivated = أُوقف: حساب { $source } معطَّل
news-removed-account-suspended = أُوقف: حساب { $source } موقوف
news-removed-account-closed = أُوقف: حساب { $source } مغلق
news-removed-no-preferred-address = أُوقف: ليس في حساب { $source } عنوان بريد مفضَّل
news-removed-code-of-conduct-withdrawn = أُوقف: ميثاق السلوك لم يعد موقّعًا
news-removed-banned = أُوقف: الحساب محظور
news-removed-ban-lifted = أُوقف حتى المزامنة القادمة
news-removed-domain-retired = أُوقف: النطاق في طور الإنهاء
news-removed-unassigned = أُوقف: صاحبه غير معروف
news-removed-deleted = أُوقف: حذفه صاحبه
news-removed-returning = أُوقف: استعاده صاحبه وهو قيد التحقق
news-removed-erased = أُوقف: محا صاحبه بياناته
count-created = جديدة
count-restored = عادت من جديد
count-loop = أُوقفت بسبب حلقة
count-removed = أُوقفت
count-failing = عناوين لم يُسلَّم بريدها في آخر 14 يومًا
no-admin = ليس للنطاق { $domain } مشرف يمكنه التصرّف، فوصلتك هذه الرسالة بصفتك من المشغّلين. يجب أن يكون المشرف مربوطًا، وحسابه في { $source } صالحًا، وله عنوان نشط.
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
        أُفرج عن هذه المزامنة، لكن الرسالة التي تنفّذها ضاعت. أُرسلت من جديد، فلا يلزمك أن تفعل شيئًا. إذا لم تُنفَّذ خلال بضع ساعات، فاطلب من المشغّلين أن ينظروا في الطوابير.

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
domain-open = افتح صفحة النطاق

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
failure-member = الاسم في { $source }
failure-step = الخطوة
failure-error = الخطأ
failure-cause = السبب
failure-request = معرّف الطلب
failure-no-member = لا يخصّ عضوًا بعينه

## Around every page

language = العربية
languages = اللغة
skip = انتقل إلى المحتوى
sign-out = تسجيل الخروج
# A link stands for { $link }.
help = هل لديك سؤال؟ { $link }.
help-link = اطلب المساعدة في مجتمع { $community }
status-link = حالة الخدمة

## Buttons of pages

sign-in = سجّل الدخول عبر { $provider }
sign-in-again = سجّل الدخول مرة أخرى
check-again = تحقّق مجددًا
try-again = حاول مرة أخرى
go-to-start = انتقل إلى الصفحة الرئيسية
go-to-addresses = انتقل إلى عناوينك
log-in-to-source = سجّل الدخول إلى { $source }
ask-source = اسأل فريق { $source }
set-source-address = حدّد عنوانك في { $source }
sign-code-of-conduct = اقرأ ميثاق السلوك ووقّعه

## The page for visitors

welcome =
    .title = عنوانك
    .text = يحصل أعضاء مجتمع { $community } على عناوين في نطاقات فِرقهم. البريد المرسل إلى عنوانك يُحوَّل إلى عنوان البريد الذي تسجّل الدخول به.
    .domains = من يحصل على أي عنوان
# `welcome-unbroken` stands for { $unbroken }; there is no line break in it.
welcome-heading = عنوان { $unbroken } لدى { $community }
welcome-unbroken = بريدك
# A link stands for { $team }.
welcome-team = أعضاء الفريق { $team }

## The account page: the last check

check-pending =
    .heading = نتحقّق من عضويتك
    .text = نسأل { $source } عن حسابك وفِرقك. يستغرق ذلك بضع ثوانٍ.
check-delayed =
    .heading = لا يستجيب { $source } الآن
    .text = نواصل المحاولة، وننشئ عنوانك فور أن يستجيب { $source }. يمكنك أن تغلق هذه الصفحة وتعود لاحقًا.
check-given-up =
    .heading = لم نتمكّن من التحقّق من عضويتك
    .text = لم يستجب { $source } طوال يوم كامل فتوقّفنا عن المحاولة. لم يتغيّر شيء في عناوينك. تحقّق مجددًا من فضلك.
check-never =
    .heading = لم نتحقّق من عضويتك بعد
    .text = تحقّق منها الآن لتحصل على عناوينك.
outcome-banned =
    .heading = حسابك محظور
    .text = حظره أحد مشرفي بريد { $community }. إن رأيت أن هذا خطأ فاطلب المساعدة أدناه.
outcome-unknown =
    .heading = ليس لديك حساب في { $source } بعد
    .text = لا يوجد في { $source } حساب مرتبط بتسجيل دخولك عبر { $provider }. سجّل الدخول إلى { $source } مرة واحدة لإنشاء حساب، ثم تحقّق مجددًا.
outcome-never-activated =
    .heading = فعّل حسابك في { $source } أولًا
    .text = اسم المستخدم محجوز لك لدى { $provider }، لكنك لم تسجّل الدخول إلى { $source } قط. سجّل الدخول هناك مرة واحدة، ثم تحقّق مجددًا.
outcome-deactivated =
    .heading = حسابك في { $source } معطَّل
    .text = سجّل الدخول إلى { $source } لتفعيله، ثم تحقّق مجددًا.
outcome-suspended =
    .heading = حسابك في { $source } موقوف
    .text = أوقفه أحد مديري { $source }. اسألهم عن السبب، وحين يصبح نشطًا من جديد تحقّق مجددًا.
outcome-no-preferred-address =
    .heading = ليس في حسابك في { $source } عنوان بريد
    .text = حدّد عنوان بريد مفضَّلًا في { $source }، ثم تحقّق مجددًا.
outcome-closed =
    .heading = حسابك في { $source } مغلق
    .text = لا تحصل الحسابات المغلقة على عناوين. إن كان لديك حساب جديد بتسجيل الدخول نفسه عبر { $provider } فتحقّق مجددًا. وإن لم تكن أنت من أغلقه فاطلب المساعدة أدناه.
outcome-not-valid =
    .heading = حسابك في { $source } غير نشط
    .text = لا يذكر { $source } السبب. اسأل فريق { $source } عنه، وحين يصبح الحساب نشطًا من جديد تحقّق مجددًا.
outcome-code-of-conduct-unsigned =
    .heading = وقّع ميثاق السلوك أولًا
    .text = عناوين { $community } لمن وقّعوا ميثاق السلوك. وقّعه، ثم تحقّق مجددًا.
outcome-no-team =
    .heading = لست عضوًا في أي من الفِرق بعد
    .text = يحصل أعضاء فِرق { $community } على عنوان. حين تنضم إلى أحدها تحقّق مجددًا.
outcome-teams-unavailable =
    .heading = لا يمكننا التحقّق من عضويتك الآن
    .text = في أحد فِرق { $community } خلل يجب إصلاحه أولًا. هذه مهمتنا لا مهمتك. تحقّق مجددًا لاحقًا من فضلك.
outcome-eligible =
    .heading = عناوينك
    .text = أنت عضو موثَّق في { $community }.
outcome-eligible-hint = هل انضممت إلى فريق آخر أو غيّرت اسمك في { $source }؟

## The account page: addresses

address-active =
    .state = البريد المرسل إلى { $address } يُحوَّل الآن إلى { $destination }
    .advice = لتجرّبه، اطلب من أحدهم أن يراسلك عليه، أو راسله من عنوان آخر.
address-leaving =
    .state = البريد المرسل إلى { $address } ما زال يُحوَّل إلى { $destination }، وينتهي العنوان في { $date }
    .soon = البريد المرسل إلى { $address } ما زال يُحوَّل إلى { $destination }، وينتهي العنوان قريبًا
address-loop =
    .state = أُوقف لأن البريد سيعود إلى نفسه
    .advice = عنوان البريد الذي تسجّل الدخول به هو من عناوين هذا المجتمع نفسه. أضف صندوق بريد آخر أدناه، أو اختر عنوانًا آخر لدى { $provider } ثم سجّل الدخول مرة أخرى.
address-banned =
    .state = أُوقف لأن حسابك محظور
address-off =
    .state = موقوف منذ { $date }
    .advice = { $reason } يبقى العنوان لك.
address-failing =
    .state = بعض البريد المرسل إلى { $address } لم يصلك
address-creating =
    .state = يجري إنشاء عنوانك
destination-none = لا شيء

# Why an address does not work or ends, and what to do.
advice-eligible = تحقّق مجددًا لتستعيده.
advice-loop = { advice-eligible }
advice-not-in-team = لم تعد عضوًا في فريق هذا النطاق. حين تعود إليه تحقّق مجددًا.
advice-not-valid = حسابك في { $source } غير نشط. حين يصبح نشطًا تحقّق مجددًا.
advice-deactivated = حسابك في { $source } معطَّل. سجّل الدخول إلى { $source } لتفعيله، ثم تحقّق مجددًا.
advice-account-suspended = حسابك في { $source } موقوف. حين يصبح نشطًا تحقّق مجددًا.
advice-account-closed = حسابك في { $source } مغلق. حين يصبح لديك حساب جديد تحقّق مجددًا.
advice-no-preferred-address = ليس في حسابك في { $source } عنوان بريد مفضَّل. حدّد واحدًا في { $source }، ثم تحقّق مجددًا.
advice-code-of-conduct-withdrawn = توقيعك على ميثاق السلوك غير موجود. وقّعه، ثم تحقّق مجددًا.
advice-banned = اطلب المساعدة أدناه.
advice-ban-lifted = يعود خلال ساعات، أو فور أن تتحقّق مجددًا.
advice-domain-retired = يتخلى المجتمع عن هذا النطاق، لذا تنتهي جميع عناوينه. أعطِ الناس عنوانًا آخر قبل ذلك.
advice-unassigned = { advice-eligible }
advice-deleted = لقد حذفته. يمكنك استعادته خلال 30 يومًا.
advice-returning = لقد استعدته. سيعود بعد التحقق من عضويتك.
advice-erased = لقد محوت بياناتك. تحقق مرة أخرى لاستعادته.

# Mail that was not delivered; { $when } is one of the first two.
undelivered-once = في { $date }
undelivered-often = أول مرة في { $first }، وآخر مرة في { $last }
undelivered-mailbox = رفض خادم بريد { $destination } بريدًا مرسلًا إليك ({ $when }؛ الحالة { $status }). تحقّق من صندوق البريد هذا: ربما امتلأ أو لم يعد لك. إن تعذّر عليك ذلك فاطلب المساعدة أدناه.
undelivered-message = رفض خادم بريد { $destination } بعض البريد ({ $when }؛ الحالة { $status })، ربما لأنه بدا مزعجًا أو كان كبيرًا جدًا. يصلك البريد الآخر كالمعتاد. إن افتقدت شيئًا فاطلب المساعدة أدناه.
undelivered-unreachable = لم يقبل خادم بريد { $destination } أي بريد منذ أيام ({ $when }؛ الحالة { $status }). تحقّق من صندوق البريد هذا، أو اطلب المساعدة أدناه.

# Why a domain gives no address.
refusal-taken =
    .state = هذا العنوان لشخص آخر
    .advice = لا تنتقل العناوين من شخص إلى آخر أبدًا. إن غيّرت اسمك في { $source } حصلت على عنوان آخر.
refusal-domain-not-verified =
    .state = هذا النطاق لا يمنح عناوين بعد
    .advice = ما زال على مجتمع { $community } أن يكمل إعداده. تحقّق مجددًا لاحقًا من فضلك.
refusal-team-unavailable =
    .state = لا يمكننا التحقّق من فريق هذا النطاق الآن
    .advice = في الفريق خلل يجب إصلاحه أولًا. هذه مهمتنا لا مهمتك. تحقّق مجددًا لاحقًا من فضلك.
refusal-domain-retired =
    .state = لم يعد هذا النطاق يمنح عناوين
    .advice = يتخلى مجتمع { $community } عنه. ليس عليك فعل أي شيء.
refusal-too-many =
    .state = لديك هنا أكبر عدد مسموح من العناوين
    .advice = تبقى عناوينك الحالية لك. إن احتجت إلى عنوان آخر فاطلب المساعدة أدناه.
change-name = غيّر اسمك في { $source }، ثم تحقّق مجددًا.
name-sub-address =
    .state = في اسمك في { $source } علامة +
    .advice = البريد المرسل إلى { $tagged } يصل إلى صاحب { $plain }. { change-name }
name-not-chosen =
    .state = اسمك في { $source } أُعطي لك تلقائيًا
    .advice = يعطي { $source } مثل هذه الأسماء للحسابات المدمجة والمعطَّلة والمغلقة. { change-name }
name-reserved =
    .state = اسمك في { $source } محجوز لمشرفي النطاق
    .advice = { change-name }
name-too-long =
    .state = اسمك في { $source } أطول مما يسمح به العنوان
    .advice = لا يتّسع ما قبل العلامة @ لأكثر من { $max } حرفًا. { change-name }
name-not-a-dot-atom =
    .state = اسمك في { $source } غير مسموح به في عنوان
    .advice = لا يجوز أن ينتهي بنقطة أو أن تتوالى فيه نقطتان. { change-name }

## A sign-in that failed

sign-in-cancelled =
    .heading = ألغيت تسجيل الدخول
    .text = لم يتغيّر شيء. يمكنك تسجيل الدخول في أي وقت.
invalid-link =
    .heading = لم يعد هذا الرابط يعمل
    .text = لم تتم إضافة أي حساب. افتح هوياتك واختر الحساب مرة أخرى.
link-session-ended =
    .heading = انتهت جلستك
    .text = لم تتم إضافة أي حساب. سجّل الدخول ثم أضفه مرة أخرى.
signed-out =
    .heading = تم تسجيل خروجك
    .text = ربما لا تزال جلستك مفتوحة لدى { $provider }. إذا كان هذا الجهاز مشتركًا فسجّل الخروج هناك أيضًا.
    .button = تسجيل الخروج لدى { $provider }
sign-in-setup-needed =
    .heading = أكّد تسجيل الدخول لدى { $provider } من فضلك
    .text = يحتاج { $provider } إلى تأكيدك أولًا. سجّل الدخول مرة أخرى وأكّده هناك.
sign-in-provider-error =
    .heading = أبلغ { $provider } عن خطأ
    .text = لم يتغيّر شيء. سجّل الدخول مرة أخرى بعد بضع دقائق. إن تكرّر ذلك فاطلب المساعدة أدناه.
sign-in-no-email =
    .heading = لم يشارك { $provider } عنوان بريدك معنا
    .text = نحوّل بريدك إلى ذلك العنوان، ولذلك نحتاج إليه. سجّل الدخول مرة أخرى وحدّد خانة «Email address» في الصفحة التي يسألك فيها { $provider } عمّا تريد مشاركته.
sign-in-bad-email =
    .heading = لا يمكننا تحويل البريد إلى عنوان بريدك
    .text = { $reason } اختر عنوان بريد آخر في حسابك لدى { $provider }، ثم سجّل الدخول مرة أخرى.
bad-email-syntax = ليس في عنوان البريد الذي أرسله { $provider } علامة @.
bad-email-local-part = في عنوان البريد الذي أرسله { $provider } محارف قبل العلامة @ لا يقبلها كل خادم بريد.
bad-email-domain = لا ينتهي عنوان البريد الذي أرسله { $provider } باسم نطاق مثل example.org.
bad-email-too-long = عنوان البريد الذي أرسله { $provider } أطول من اللازم.
sign-in-too-late =
    .heading = استغرق تسجيل الدخول وقتًا أطول من اللازم
    .text = سجّل الدخول مرة أخرى وأكمله خلال بضع دقائق من فضلك. لم يتغيّر شيء.
sign-in-refused =
    .heading = لم نتمكّن من قبول تسجيل الدخول
    .text = كان رد { $provider } ناقصًا أو معدَّلًا. لم يتغيّر شيء. سجّل الدخول مرة أخرى. إن تكرّر ذلك فاطلب المساعدة أدناه.
sign-in-other-browser =
    .heading = لم يبدأ تسجيل الدخول هذا في هذا المتصفّح
    .text = يجب أن يبدأ تسجيل الدخول وينتهي في المتصفّح نفسه، مع تفعيل ملفات تعريف الارتباط. سجّل الدخول مرة أخرى من فضلك.
sign-in-replayed =
    .heading = سبق استخدام تسجيل الدخول هذا
    .text = ربما حُمّلت الصفحة مرتين. إن لم تكن قد سجّلت الدخول فسجّله مرة أخرى من فضلك.
sign-in-forged =
    .heading = لم يؤكّد { $provider } تسجيل الدخول
    .text = يقول { $provider } إن هذا الرد ليس منه. لم يتغيّر شيء. سجّل الدخول مرة أخرى من فضلك.
sign-in-rejected =
    .heading = لم يتمكّن { $provider } من التحقّق من تسجيل الدخول
    .text = ربما تضرّر الرد في الطريق. لم يتغيّر شيء. سجّل الدخول مرة أخرى من فضلك.
sign-in-timed-out =
    .heading = لم يستجب { $provider } في الوقت المناسب
    .text = لم يتغيّر شيء. سجّل الدخول مرة أخرى من فضلك.
sign-in-unavailable =
    .heading = لا يمكن الوصول إلى { $provider } الآن
    .text = لم يتغيّر شيء. سجّل الدخول مرة أخرى بعد بضع دقائق من فضلك.

## Other messages of pages

failed =
    .heading = حدث خطأ ما
    .text = هذا خطأ من جانبنا، ولم يضِع شيء. حاول مرة أخرى بعد دقيقة من فضلك.
account-failed =
    .heading = حدث خطأ ما
    .text = لا يمكننا عرض عناوينك الآن. ما زال البريد المرسل إليها يصل. حاول مرة أخرى بعد دقيقة من فضلك.
not-found =
    .heading = هذه الصفحة غير موجودة
    .text = ربما كان الرابط قديمًا أو فيه خطأ.
read-only =
    .heading = هذه الصفحة للقراءة فقط
    .text = لم يتغيّر شيء.
use-the-button =
    .heading = استخدم الزر من فضلك
    .text = لم يتغيّر شيء. انتقل إلى الصفحة الرئيسية واضغط الزر هناك.
invalid-form-text = انتهت صلاحية النموذج أو أنه ليس من هذا الموقع. انتقل إلى عناوينك وحاول هناك مرة أخرى من فضلك.
invalid-sign-out =
    .heading = لم يُسجَّل خروجك
    .text = { invalid-form-text }
invalid-check =
    .heading = لم يبدأ أي تحقّق
    .text = { invalid-form-text }
invalid-language =
    .heading = لم تتغيّر اللغة
    .text = { invalid-form-text }

## Self-service: the forms of the account page

# A time in UTC.
moment = { $date }، الساعة { $time } بالتوقيت العالمي
manage = غيّر هذا العنوان
choose =
    .legend = حوّل البريد إلى
    .button = احفظ
pause =
    .hint = أوقفه مؤقتًا إذا كنت لا تريد بريدًا عليه لفترة. يعلم المرسلون بذلك، ولا يختفي شيء في صمت.
    .temporary = إيقاف: يعيد المرسلون المحاولة لعدة أيام
    .permanent = إيقاف: يتلقى المرسلون خطأ فورًا
    .resume = استأنف
test-button = أرسل إليّ رسالة تجريبية
test-requested = طلبت رسالة تجريبية في { $moment }. إنها في الطريق.
test-sent = أُرسلت رسالتك التجريبية في { $moment }. إذا لم تصل إلى صندوقك خلال دقائق فابحث في مجلد البريد المزعج.
test-rejected = لم تُقبل رسالتك التجريبية (الحالة { $status }). اطلب المساعدة أدناه.
test-failed = لم تصل رسالتك التجريبية: رفضها خادم بريد { $destination } (الحالة { $status }).
delete =
    .hint = إذا حذفته يُرفض البريد إليه فورًا. يمكنك استعادته خلال 30 يومًا، ولن يحصل عليه أي شخص آخر أبدًا.
    .button = احذف هذا العنوان
    .restore = استعد هذا العنوان
mailboxes =
    .heading = صناديق بريدك
    .text = تحوّل عناوينك البريد إلى الصناديق التي أكّدتها.
    .add = أضف صندوق بريد
    .label = عنوان البريد الإلكتروني للصندوق
    .replaces = بمجرد تأكيده، حوّل جميع عناويني إليه وحده
    .add-hint = نرسل إليه رمزًا. لا يتغير شيء حتى تُدخل ذلك الرمز هنا.
    .send = أرسل إليّ رمزًا
    .resend = أرسل رمزًا جديدًا
    .remove = أزل
mailbox-confirmed =
    .state = أُكِّد في { $date }
    .provider = أكّده { $provider } في { $date }
mailbox-pending =
    .state = ينتظر رمزك حتى { $until }
    .advice = أرسلنا رمزًا إلى هذا الصندوق. أدخله هنا. بقي لك { $left ->
        [one] محاولة واحدة
        [two] محاولتان
       *[other] { $left } محاولات
    }.
    .replaces = أرسلنا رمزًا إلى هذا الصندوق. أدخله هنا لتحوّل جميع عناوينك إليه وحده. بقي لك { $left ->
        [one] محاولة واحدة
        [two] محاولتان
       *[other] { $left } محاولات
    }.
mailbox-unconfirmed =
    .state = لم يُؤكَّد بعد
    .advice = لا يصل إليه بريد حتى تؤكّده. نرسل إليه رمزًا تُدخله هنا.
mailbox-failing =
    .state = هذا الصندوق يرفض البريد
code-label = الرمز الذي في الرسالة
code-button = أكّد هذا الصندوق
more =
    .label = المزيد عن حسابك

## Self-service: the state of an address

address-unconfirmed =
    .state = ينتظر { $address } أن تؤكّد صندوق بريد
    .advice = حتى { $until } نطلب من المرسلين المحاولة لاحقًا، وبعد ذلك يُرفض البريد. أكّد صندوقك أدناه.
address-unconfirmed-late =
    .state = يرفض { $address } البريد لأنه لا يوجد صندوق مؤكَّد
    .advice = أكّد صندوقك أدناه. انتهت المهلة في { $until }، لكن العنوان يبقى لك.
address-paused =
    .state = أوقفتَ { $address } مؤقتًا
    .advice = يُطلب من المرسلين المحاولة لاحقًا. يتوقف معظمهم بعد عدة أيام.
address-paused-permanently =
    .state = أوقفتَ { $address } مؤقتًا
    .advice = يتلقى المرسلون رسالة خطأ فورًا.
address-ends = ينتهي في { $date }.
address-deleted =
    .state = لقد حذفت هذا العنوان
    .advice = يُرفض البريد إليه. يمكنك استعادته حتى { $date }، ولن يحصل عليه أي شخص آخر أبدًا.
    .late = يُرفض البريد إليه، ولم تعد استعادته ممكنة. لن يحصل عليه أي شخص آخر أبدًا.
address-returning =
    .state = عنوانك في طريق العودة

## Self-service: other pages

confirm =
    .heading = أكّد هذا الصندوق
    .text = اضغط الزر لتتمكن عناوينك من تحويل البريد إلى { $mailbox }.
    .replaces = اضغط الزر لتحوّل جميع عناوينك البريد إلى { $mailbox } وحده.
undo =
    .heading = ألم تكن أنت؟
    .text = في { $at } تغيّرت صناديق بريد أحد الحسابات. إذا لم تفعل ذلك فأدخل الرمز الذي في الرسالة قبل { $until }. عندها يُلغى التغيير وتُسجَّل جميع الجلسات خروجًا.
    .label = الرمز الذي في الرسالة
    .button = ألغِ التغيير
sessions =
    .heading = جلساتك
    .text = لكل متصفح سجّلت الدخول فيه جلسة.
    .this-browser = هذا المتصفح
    .end = سجّل الخروج منه
    .end-all-hint = تبطل بذلك أيضًا الرموز التي لم تُدخلها بعد.
    .end-all = سجّل الخروج من كل مكان
session-created = تسجيل الدخول في { $moment }
session-last-seen = آخر استخدام في { $moment }
identities =
    .heading = حسابات تسجيل الدخول
    .text = يمكنك تسجيل الدخول إلى عناوينك بأي من هذه الحسابات.
    .adding = تجري إضافة حسابك. أعد تحميل هذه الصفحة بعد لحظات. يبيّن سجلّك ما حدث.
    .removed = أُزيل الحساب، وأُنهيت جميع الجلسات الأخرى.
    .remove = أزِل
    .remove-hint = بعد إزالة حساب لا يمكن تسجيل الدخول به إلى عناوينك، وتنتهي جميع جلساتك الأخرى. تبقى العناوين لك.
    .last = تحتاج إلى حساب واحد لتسجيل الدخول، فلا يمكنك إزالة هذا الحساب.
    .add = أضف حسابًا
    .add-hint = سجّل الدخول هناك مرة واحدة بالحساب الذي تريد إضافته. إن كانت لهذا الحساب عناوين هنا فستنضم إلى عناوينك.
    .sign-in-first = حفاظًا على أمانك يتطلب ذلك تسجيل دخول خلال آخر 10 دقائق.
    .full = بلغ عدد حساباتك الحد الأقصى. أزِل حسابًا لتضيف غيره.
identity-name = الاسم هناك: { $name }
identity-id = المعرّف: { $id }
identity-since = أُضيف في { $date }
identity-add = أضف حسابًا آخر لدى { $account }
identity-add-former = أضف حسابك لدى { $account }
identity-last =
    .heading = لا يمكن إزالة هذا الحساب
    .text = تحتاج إلى حساب واحد لتسجيل الدخول. أضف حسابًا آخر أولًا.
history =
    .heading = سجلّك
    .text = ما حدث لعناوينك ولحسابك، ومن فعله.
    .empty = لم يحدث شيء بعد.
history-by-member = أنت
history-by-sync = المزامنة مع الفريق
history-by-domain-check = فحص النطاق
history-by-operator = أحد المشغّلين
history-by-admin = أحد المشرفين
history-created = حصلت على { $address }.
history-renamed = حصلت على { $address } بعد { $former }.
history-restored = عاد { $address } إلى العمل.
history-leaving = ينتهي { $address } في { $date }. { $reason }
history-suspended = أُوقف { $address }. { $reason }
history-deleted = حُذف { $address }.
history-returning = استُعيد { $address } وينتظر التحقق.
history-retired = انتهى { $address } نهائيًا.
history-paused = أُوقف { $address } مؤقتًا: يعيد المرسلون المحاولة لاحقًا.
history-paused-permanently = أُوقف { $address } مؤقتًا: يتلقى المرسلون خطأ.
history-resumed = استُؤنف { $address }.
history-restore-requested = طُلب تحقق لاستعادة { $address }.
history-redirected = يحوّل { $address } إلى صناديق أخرى.
history-former-mailbox = صندوق لم يعد في قائمتك
history-code-requested = أُرسل رمز إلى { $mailbox }.
history-mailbox-confirmed = أُكِّد: { $mailbox }.
history-mailbox-removed = أُزيل: { $mailbox }.
history-mailbox-reverted = ألغى صاحب صندوق آخر تغييرًا يخص { $mailbox }. سُجّلت جميع الجلسات خروجًا.
history-banned = حُظر الحساب.
history-unbanned = رُفع الحظر عن الحساب.
history-erased = مُحيت البيانات الشخصية.
history-imported = نُسخ الحساب بعد استعادة البيانات.
history-sessions-ended = سُجّل الخروج من كل مكان.
history-exported = صُدِّرت البيانات.
history-linked = أصبح تسجيلا دخول حسابًا واحدًا.
history-unlinked = أصبح تسجيلا الدخول حسابين منفصلين من جديد.
history-identity-added = أُضيف حساب لتسجيل الدخول.
history-identity-removed = أُزيل حساب. أُنهيت جميع الجلسات الأخرى.
history-limit = يمكن أن يكون لك { $limit } من العناوين في { $domain }.
history-limit-removed = يسري العدد المعتاد من العناوين في { $domain } من جديد.
history-admin-added = أصبحت مشرفًا على { $domain }.
history-admin-removed = لم تعد مشرفًا على { $domain }.
history-admin-changed = تغيّرت صلاحياتك مشرفًا على { $domain }.
export =
    .heading = بياناتك
    .text = هذا كل ما نخزّنه عنك.
    .button = نزّلها بصيغة JSON
    .sign-in = عنوان تسجيل الدخول
    .addresses = العناوين
    .mailboxes = صناديق البريد
    .sessions = الجلسات
    .rest = كل شيء، كما في الملف
erase =
    .heading = امحُ بياناتك
    .text = نمحو صناديق بريدك وعنوان تسجيل دخولك وكل شيء آخر عنك لا نحتاج إليه لإبقاء عناوينك محجوزة. بعدها ترفض عناوينك البريد، ولن يحصل عليها أي شخص آخر أبدًا. لا يمكن التراجع عن ذلك.
    .type = لمحو كل شيء اكتب هنا { $word }
    .word = امسح
    .button = امحُ كل شيء
erased =
    .heading = مُحيت بياناتك
    .text = هذا إيصالك بتاريخ { $moment }.
    .addresses = هذه العناوين ترفض البريد الآن وتبقى محجوزة:
    .none = لم تكن لك عناوين.
    .kept = نحتفظ بسجلّ بلا عناوين بريد إلكتروني لما حدث لعناوينك. إذا سجّلت الدخول يومًا ما فستبدأ من جديد.

## Self-service: what was not done

invalid-form =
    .heading = لم يتغير شيء
    .text = { invalid-form-text }
form-too-large =
    .heading = هذا طويل جدًا
    .text = لم يتغير شيء. أدخل أقل من ذلك.
sign-in-first =
    .heading = سجّل الدخول من جديد أولًا
    .text = حفاظًا على أمانك يحتاج هذا التغيير إلى تسجيل دخول خلال آخر 10 دقائق. لم يتغير شيء. سجّل الدخول من جديد ثم كرّر المحاولة.
erased-account =
    .heading = مُحيت بياناتك
    .text = لم يتغير شيء. سجّل الدخول من جديد لتبدأ من البداية.
too-many-requests =
    .heading = انتظر قليلًا من فضلك
    .text = كانت المحاولات كثيرة في وقت قصير. لم يتغير شيء. حاول لاحقًا.
bad-mailbox =
    .heading = لا يمكننا تحويل البريد إلى هذا الصندوق
    .text = { $reason } لم يتغير شيء.
bad-mailbox-syntax = عنوان البريد الإلكتروني يحتوي على @.
bad-mailbox-local-part = في الجزء قبل @ أحرف لا يقبلها كل خادم بريد.
bad-mailbox-smtputf8 = في الجزء قبل @ أحرف من خارج ASCII ‏(SMTPUTF8). ترفض خوادم كثيرة مثل هذه العناوين، فيضيع البريد في الطريق.
bad-mailbox-domain = الجزء بعد @ ليس اسم نطاق مثل example.org.
bad-mailbox-too-long = العنوان طويل جدًا.
bad-mailbox-community = إنه في أحد نطاقات { $community }، فيعود البريد إلينا.
bad-mailbox-mail-host = إنه في نطاق خادم بريدنا، فيعود البريد إلينا.
bad-mailbox-null-mx = يعلن نطاقه أنه لا يقبل أي بريد (null MX).
too-many-mailboxes =
    .heading = بلغت الحد الأقصى لعدد الصناديق
    .text = لم يتغير شيء. أزل صندوقًا لم تعد تحتاج إليه، ثم أضف الجديد.
mailbox-missing =
    .heading = هذا الصندوق ليس في قائمتك
    .text = لم يتغير شيء. ربما أُزيل في هذه الأثناء.
mailbox-needed =
    .heading = ما زلت تحتاج إلى هذا الصندوق
    .text = لم يتغير شيء. هذه العناوين تحوّل إليه وحده: { $addresses }. اختر لها صندوقًا آخر أولًا.
code-malformed =
    .heading = هذا ليس رمزًا
    .text = يتكون الرمز من ثمانية أحرف وأرقام مثل BCDF-2345. لم تُحتسب محاولتك.
code-wrong =
    .heading = هذا الرمز غير صحيح
    .text = قارنه بأحدث رسالة. { $left ->
        [0] كانت هذه آخر محاولة، فاطلب رمزًا جديدًا.
        [one] بقيت لك محاولة واحدة.
        [two] بقيت لك محاولتان.
       *[other] بقيت لك { $left } محاولات.
    }
code-expired =
    .heading = لم يعد هذا الرمز صالحًا
    .text = يصلح الرمز 30 دقيقة ولخمس محاولات، وحتى تسجّل الخروج من كل مكان. اطلب رمزًا جديدًا.
confirm-sign-in =
    .heading = سجّل الدخول أولًا
    .text = سجّل الدخول في هذا المتصفح، ثم افتح الرابط الذي في الرسالة مرة أخرى. لم يتغير شيء.
mailbox-already-confirmed =
    .heading = هذا الصندوق مؤكَّد
    .text = ليس عليك فعل أي شيء.
address-missing =
    .heading = لا يمكن ذلك مع هذا العنوان
    .text = لم يتغير شيء. العنوان ليس في قائمتك، أو تغيرت حالته في هذه الأثناء.
choice-stale =
    .heading = تغيّر العنوان في هذه الأثناء
    .text = لم يُحفظ شيء. انظر إلى عناوينك ثم اختر مرة أخرى.
choice-unsuitable =
    .heading = اختر من صندوق واحد إلى خمسة
    .text = لم يُحفظ شيء. يحوّل العنوان إلى صندوق واحد على الأقل وخمسة على الأكثر من الصناديق التي أكّدتها.
undo-invalid =
    .heading = لا يمكن إلغاء هذا التغيير
    .text = ربما كُتب الرابط خطأ، أو مرّ عليه أكثر من 72 ساعة، أو جُرّب مرات كثيرة. إذا لم تقم أنت بالتغيير فاطلب المساعدة أدناه.
undo-wrong =
    .heading = هذا الرمز غير صحيح
    .text = لم يتغير شيء. افتح الرابط الذي في الرسالة مرة أخرى، واكتب رمز الرسالة نفسها.
undo-done =
    .heading = أُلغي التغيير
    .text = تحوّل عناوينك البريد كما كانت، وسُجّلت جميع الجلسات خروجًا. غيّر كلمة مرورك لدى { $provider } الآن، ثم سجّل الدخول وانظر إلى سجلّك.
erase-not-confirmed =
    .heading = لم يُمحَ شيء
    .text = الكلمة غير مطابقة. عُد واكتبها كما هي معروضة تمامًا.

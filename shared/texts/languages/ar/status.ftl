# صفحة الحالة العامة، وهي نفسها لجميع الزوار.

status =
    .heading = حالة الخدمة
    .about = تعرض هذه الصفحة هل تعمل أجزاء { service } الآن، وكيف عملت في آخر { $days } يومًا. تُحدَّث كل بضع دقائق. الأيام والأوقات بالتوقيت العالمي.
    .operational = كل شيء يعمل.
    .failing = توجد مشكلات في بعض الأجزاء.
    .unknown = لم تُفحص بعض الأجزاء مؤخرًا.
    .ago = قبل { $days } يومًا
    .today = اليوم
    .uptime = نجحت { $percent }٪ من عمليات الفحص في آخر { $days } يومًا.
    .no-checks = لا توجد عمليات فحص في آخر { $days } يومًا.
    .checked = آخر فحص: { $time }
    .troubled = أيام فيها مشكلات ({ $count })
    .day = { $date }: عمليات الفحص الفاشلة { $failed } من { $samples }
    .json = البيانات نفسها بصيغة JSON
# The decimal separator of a percentage.
status-decimal = .
status-states =
    .operational = يعمل
    .failing = توجد مشكلات
    .unknown = لم يُفحص مؤخرًا
status-sign-in =
    .name = تسجيل الدخول
    .text = هذا الموقع وتسجيل الدخول عبر { $provider }
status-syncs =
    .name = المزامنة
    .text = تصل تغييرات الفِرق في { $source } إلى العناوين
status-domain-checks =
    .name = فحص النطاقات
    .text = تُفحص سجلات DNS لنطاقاتنا
status-mail =
    .name = البريد
    .text = تصل رسالة تجريبية إلى أحد عناويننا

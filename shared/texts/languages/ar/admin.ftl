# نصوص صفحات المشرفين.

admin-overview =
    .heading = نطاقاتك
    .text = أنت مشرف على هذه النطاقات.
admin-permissions =
    .view = الاطّلاع
    .decide = البتّ في المزامنات
    .ban = حظر الأعضاء
    .appoint = تعيين المشرفين
admin-list-separator = ،{ " " }
admin-navigation = صفحات النطاق
admin-all-domains = كل النطاقات
admin-back = العودة إلى النطاق
admin-sections =
    .domain = النطاق
admin-nowhere =
    .heading = لست مشرفًا
    .text = هذه الصفحات لمشرفي النطاقات. يحتاج المشرف إلى عنوان نشط وإلى حساب صالح في { $source }.
admin-not-here =
    .heading = لست مشرفًا على هذا النطاق
    .text = لم يتغيّر شيء. لا يفتح هذه الصفحة إلا مشرف النطاق.
admin-no-permission =
    .heading = ليست لديك هذه الصلاحية
    .text = لم يتغيّر شيء. إن احتجت إليها فاطلبها من مشرف يمكنه تعيين غيره أو من المشغّلين.

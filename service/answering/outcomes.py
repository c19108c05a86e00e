"""What staff call the ways in which a question can end."""

from __future__ import annotations

OUTCOME_NAMES = {
    "answered_faq": "答了：常见问题",
    "answered_service": "答了：办事",
    "answered_law": "答了：法条",
    "answered_article": "答了：指定条文",
    "answered_repealed": "答了：已废止法律",
    "answered_smalltalk": "寒暄",
    "answered_legal_aid": "答了：法援预检",
    "clarify_topic": "反问：哪类事",
    "clarify_region": "反问：哪里",
    "clarify_legal_aid": "反问：法援预检",
    "handover_urgent": "紧急",
    "handover_requested": "要找人工",
    "handover_with_person": "人工接待中",
    "unanswerable_unsure": "没把握",
    "unanswerable_off_topic": "不是法律问题",
    "unanswerable_no_such_article": "没有这一条",
    "unanswerable_no_such_law": "没有这部法",
    "unanswerable_not_in_force": "不是现行法",
    "unanswerable_other_region": "外地的事",
    "unanswerable_not_held": "未收录",
    "unanswerable_no_source": "没有依据",
    "unanswerable_switched_off": "已关停",
    "refused_harm": "拒答：有害",
    "failed_search": "故障",
}

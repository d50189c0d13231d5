"""Examples: one set of inputs for each calculator, as its documentation and the API show it.

People and employers are nobody's; the days and amounts are chosen so that the sums can be followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "severance": {
        "hired_on": "2020-03-01",
        "left_on": "2026-08-31",
        "average_wage": 6000,
        "district": "历下区",
    },
    "severance_plus_notice": {
        "hired_on": "2024-03-01",
        "left_on": "2026-08-31",
        "average_wage": 6000,
        "last_month_wage": 6200,
        "district": "历下区",
    },
    "unlawful_dismissal": {
        "hired_on": "2023-05-08",
        "left_on": "2026-11-10",
        "average_wage": 8000,
        "district": "历城区",
    },
    "noncompete_compensation": {"average_wage": 20000, "district": "历下区", "months": 6},
    "wage_arrears": {"months": 3, "monthly_wage": 6500, "paid": 2000},
    "double_wage": {"hired_on": "2026-01-10", "monthly_wage": 6000, "left_on": "2026-06-30"},
    "overtime": {
        "monthly_wage": 6000,
        "hours_150": 20,
        "hours_200": 16,
        "hours_300": 8,
        "district": "历下区",
    },
    "annual_leave_days": {"years": 12},
    "annual_leave_prorated": {"full_days": 10, "left_on": "2026-06-30", "taken": 2},
    "annual_leave_pay": {"days": 5, "average_wage": 6525},
    "sick_pay": {"district": "历下区", "sick_on": "2026-06-01", "paid": 1500},
    "heat_fee": {
        "kind": "outdoor",
        "year": 2026,
        "attendance": [{"month": 6}, {"month": 7, "attended": 12, "due": 23}],
    },
    "limitation": {"kind": "wages_left", "since": "2026-03-15"},
    "notice_period": {"kind": "resign", "given_on": "2026-03-01"},
    "probation_limit": {"contract_months": 12},
    "probation_compensation": {"contract_months": 12, "probation_months": 6, "regular_wage": 6000},
    "probation_wage": {"regular_wage": 6000, "district": "历下区", "on": "2026-03-02"},
    "medical_period": {"total_years": 12, "years_here": 4},
    "maternity_leave": {"difficult": True, "babies": 1, "starts_on": "2026-03-01"},
    "family_leave": {"kind": "paternity", "on": "2026-03-02"},
    "injury_disability_grant": {"grade": 9, "average_wage": 6000, "injured_on": "2026-03-02"},
    "injury_medical_aid": {"grade": 9, "ended_on": "2026-06-30"},
    "death_benefit": {"died_on": "2025-06-01"},
    "single_award": {"amounts": [12000, 30000], "district": "历下区", "asked_on": "2026-11-20"},
    "hardship_precheck": {"income": 48000, "rigid_expenses": 20000, "people": 3},
    "legal_aid_precheck": {"matter": "wages", "migrant_worker": True, "on_relief": False},
}

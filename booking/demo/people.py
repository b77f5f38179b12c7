"""Invented schools, venues, people and texts of the demonstration."""

SCHOOLS = """
Ashdown Lane Primary School|primary
Bramblefield Pre-school|nursery
Brook End Nursery School|nursery
Castle Road Infant School|primary
Chalk Hill Junior School|primary
Cobbler’s Green Primary School|primary
Dovecote Primary School|primary
Dunmere High School|secondary
Elmwater Infant School|primary
Fairlea Primary School|primary
Fenwick Academy|secondary
Foxglove Nursery|nursery
Greenholm Nursery School|nursery
Harrow Bank Junior School|primary
Hazel Bank Primary School|primary
Heron’s Reach School|special
Holm Oak Primary School|primary
Ivy Lane Infant School|primary
Kestrel Way Academy|secondary
King’s Meadow Primary School|primary
Larkfield Primary School|primary
Little Acorns Pre-school|nursery
Marsham Grange School|secondary
Marsham Park Primary School|primary
Mill Street Junior School|primary
Millbrook Infant School|primary
Nightingale Primary School|primary
Oakhurst Primary School|primary
Orchard End Pre-school|nursery
Parsonage Farm Primary School|primary
Quarry Wood Primary School|primary
Ridgeway Learning Centre|alternative
Rowan Tree School|special
Sandpit Lane Junior School|primary
Skylark Primary School|primary
St Brannoc’s CE Junior School|primary
St Edith’s Catholic Primary School|primary
Stonecroft High School|secondary
The Willows School|special
Thistledown Nursery School|nursery
Tollgate Primary School|primary
Vale End CE Primary School|primary
Wharfside Primary School|primary
"""
VENUES = {
    "Oak Suite": (
        "Larkfield Primary School, Long Meadow, Marsham MA3 7QP",
        "Parking behind the sports hall. Step-free from the main door, hearing loop.",
    ),
    "The Old Library": (
        "Market Street, Marsham MA1 2TT",
        "Opposite the bus station. Step-free, quiet room, accessible toilet.",
    ),
    "Marsham Town Hall": (
        "Castle Square, Marsham MA1 1AA",
        "Five minutes from the railway station. Lift to all floors, hearing loop.",
    ),
    "Partnership office": ("2 Mill Yard, Marsham MA2 4RE", "Ring at the side door. Two parking spaces for visitors."),
    "On line": ("", "Whoever has a place gets the link by e-mail."),
}
POSITIONS = {
    "Oak Suite": (52.7688, 1.2545),
    "The Old Library": (52.7662, 1.2489),
    "Marsham Town Hall": (52.7671, 1.2513),
}
CATEGORIES = (
    ("SENCo forum", "SF", 1, "public"),
    ("Solution Circle", "SC", 2, "public"),
    ("Coffee morning", "CM", 3, "public"),
    ("Workshops and training", "WT", 4, "public"),
    ("Conference", "CO", 5, "public"),
    ("Programmes and courses", "PC", 6, "public"),
    ("Consultation days", "CD", 7, "public"),
    ("Briefings and drop-ins", "BD", 8, "public"),
    ("High needs funding (LHNF)", "LH", 9, "public"),
    ("Returns and data", "RD", 10, "public"),
    ("Transition", "TR", 11, "public"),
    ("Team and boards", "TB", 12, "team"),
)
AUDIENCES = (
    ("SENCos", False),
    ("Headteachers", False),
    ("Early years", False),
    ("Teaching assistants", False),
    ("Parents and carers", True),
)
TEAM = (
    ("organiser@example.org", "Tom Okafor", ("administrator", "organiser")),
    ("lead@example.org", "Helen Bright", ("organiser",)),
    ("therapist@example.org", "Amina Yusuf", ("facilitator",)),
)
SENCO = ("senco@example.org", "Priya Nair", "Oakhurst Primary School")
FIRST = [
    "Ada",
    "Beth",
    "Colm",
    "Daniel",
    "Ewa",
    "Farah",
    "Gareth",
    "Hana",
    "Ines",
    "Joe",
    "Kofi",
    "Lucy",
    "Marta",
    "Nia",
    "Omar",
    "Petra",
    "Ravi",
    "Ruth",
    "Samir",
    "Shreya",
    "Theo",
    "Uma",
    "Viv",
    "Wen",
    "Yusuf",
    "Zoe",
]
LAST = [
    "Achebe",
    "Adeyemi",
    "Brady",
    "Carter",
    "Duarte",
    "Evans",
    "Fenn",
    "Grant",
    "Haddad",
    "Iqbal",
    "Jones",
    "Kowalska",
    "Lomax",
    "Marsden",
    "Novak",
    "Obi",
    "Patel",
    "Pryce",
    "Rowlands",
    "Shah",
    "Turner",
    "Walsh",
]

TEXTS = {
    "SENCo forum": "News from the county, one topic in depth, and time for your own questions.\n\nBring one thing that went well and one that is stuck. There is time at the end, and tea.",
    "Solution Circle": "Bring a situation you are stuck with; leave with a plan. Six people think with you for half an hour, led by a fixed team of facilitators.\n\nPlease **do not name the child**: initials are not needed either.",
    "Coffee morning": "Come for a hot drink and a talk with other parents and carers, and a guest who knows the subject.\n\nYou do not need a diagnosis or a letter. Small children are welcome; there are toys in the corner.",
    "Workshops and training": "Practical, with things to try the next morning. A certificate and the slides come by e-mail afterwards.",
    "Conference": "A whole day together:\n\n- two talks\n- workshops to choose from on the day\n- lunch, with time to meet\n\nTell us when you book what you eat and what you need.",
    "Programmes and courses": "The first of several days that belong together. Whoever starts is asked to come to all of them; the other dates are agreed on the first day.",
    "Consultation days": "Half an hour with a specialist about your own school. Tell us when you book which part of the day suits you; we write to you with your time.",
    "Briefings and drop-ins": "What is new, in plain words, and your questions. Cameras may stay off.",
    "High needs funding (LHNF)": "Send applications on the usual form by the time given. The panel meets about two weeks later.",
    "Returns and data": "Every school sends its return, also where there is nothing to tell. The form and notes come by e-mail two weeks before.",
    "Transition": "For schools with pupils who move from year 6 to year 7.",
    "Team and boards": "",
}

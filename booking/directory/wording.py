"""How the directory's words are said."""

from booking.directory.models import ContactRole, Phase

SAY_ROLE = {
    ContactRole.SENCO: "SENCo",
    ContactRole.HEADTEACHER: "Headteacher",
    ContactRole.MENTAL_HEALTH: "Mental-health lead",
    ContactRole.ATTENDANCE: "Attendance lead",
    ContactRole.OFFICE: "Office",
}
SAY_PHASE = {
    Phase.NURSERY: "Nurseries",
    Phase.PRIMARY: "Primary schools",
    Phase.SECONDARY: "Secondary schools",
    Phase.ALL_THROUGH: "All-through schools",
    Phase.SPECIAL: "Special schools",
    Phase.ALTERNATIVE: "Alternative provision",
    Phase.SIXTEEN_PLUS: "16 plus",
    Phase.OTHER: "Others",
}

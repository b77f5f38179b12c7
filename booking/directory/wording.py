"""How the directory's words are said."""

from booking.directory.models import ContactRole

SAY_ROLE = {
    ContactRole.SENCO: "SENCo",
    ContactRole.HEADTEACHER: "Headteacher",
    ContactRole.MENTAL_HEALTH: "Mental-health lead",
    ContactRole.ATTENDANCE: "Attendance lead",
    ContactRole.OFFICE: "Office",
}

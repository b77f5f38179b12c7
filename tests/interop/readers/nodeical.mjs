// node-ical: what Home Assistant cards, MagicMirror and many websites read calendars with.
import ical from "node-ical";

const day = (time) => [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
const when = (event, time) => (event.datetype === "date" ? day(time) : time.toISOString());
const events = Object.values(ical.sync.parseFile(process.argv[2])).filter((one) => one.type === "VEVENT");
console.log(
  JSON.stringify(
    events.map((event) => ({
      uid: event.uid,
      title: event.summary,
      start: when(event, event.start),
      end: when(event, event.end),
      status: event.status,
    })),
  ),
);

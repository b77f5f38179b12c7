// ical.js: what Nextcloud reads calendars with, and Thunderbird, which is asked itself too.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const root = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));
const when = (time) => (time.isDate ? time.toString() : time.toJSDate().toISOString());
for (const zone of root.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
const events = root.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    title: event.summary,
    start: when(event.startDate),
    end: when(event.endDate),
    status: component.getFirstPropertyValue("status"),
  };
});
console.log(JSON.stringify(events));

# Ruby's icalendar: what Discourse and many Rails sites read calendars with.
require "icalendar"
require "json"
require "stringio" # the gem forgets it

Encoding.default_external = Encoding::UTF_8

def at(value)
  value.is_a?(Icalendar::Values::Date) ? value.to_date.iso8601 : value.to_time.utc.iso8601
end

events = Icalendar::Calendar.parse(File.read(ARGV[0])).flat_map(&:events).map do |event|
  { uid: event.uid.to_s, title: event.summary.to_s, start: at(event.dtstart), end: at(event.dtend), status: event.status.to_s }
end
puts JSON.generate(events)

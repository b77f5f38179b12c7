"""Thunderbird itself, without its window: subscribes to an address as its users do, and says what it has stored.

It stays: at each line on standard input it refreshes what it subscribed to, and says so again.
"""

import json
import os
import sys
import tempfile

from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette

THUNDERBIRD = "/usr/lib/thunderbird/thunderbird"  # Debian's command is a script that looks after old profiles first
PREFERENCES = {
    # Nobody listens at this proxy, and addresses of this machine never go through one: the feed is all it can reach.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    # What a first start shows, asks and fetches, besides what the client switches off.
    "mail.inappnotifications.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
}
COMMON = """
  const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
  const loaded = (calendar) => new Promise((resolve, reject) => {
    const others = ["onStartBatch", "onEndBatch", "onAddItem", "onModifyItem", "onDeleteItem"];
    const observer = {
      QueryInterface: ChromeUtils.generateQI(["calIObserver"]),
      ...Object.fromEntries([...others, "onPropertyChanged", "onPropertyDeleting"].map((name) => [name, () => {}])),
      onLoad: () => { calendar.removeObserver(observer); resolve(); },
      onError: (_, number, message) => reject(new Error(`${number} ${message}`)),
    };
    calendar.addObserver(observer);
  });
"""
# As its dialogue does: find out what is at the address, and keep it for when there is no network. Only what it would
# ask of a CalDAV server is left out, for that asks the name server too.
SUBSCRIBE = """
  const others = (types) => [...types].filter((type) => type !== "ics");
  const found = await cal.provider.detection.detect("", "", address, false, [others], {});
  const [detected] = [...found.values()].flat();
  detected.setProperty("cache.enabled", true);
  cal.manager.registerCalendar(detected);
  await loaded(cal.manager.getCalendarById(detected.id));
"""
REFRESH = """
  const [calendar] = cal.manager.getCalendars().filter((one) => one.uri.spec === address);
  calendar.refresh();
  await loaded(calendar);
"""
# Through a second calendar on the same file: the first remembers items as the feed gave them, time zone and all.
READ = """
  const [calendar] = cal.manager.getCalendars().filter((one) => one.uri.spec === address);
  const file = cal.provider.getCalendarDirectory();
  file.append("cache.sqlite");
  const stored = Cc["@mozilla.org/calendar/calendar;1?type=storage"].createInstance(Ci.calICalendar);
  stored.uri = Services.io.newFileURI(file);
  stored.id = calendar.id;
  const day = (time) => time.icalString.replace(/(....)(..)(..)/, "$1-$2-$3");
  const when = (time) => (time.isDate ? day(time) : new Date(time.nativeTime / 1000).toISOString());
  const items = await stored.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
  return items.map((item) => ({
    uid: item.id,
    title: item.title,
    start: when(item.startDate),
    end: when(item.endDate),
    status: item.status,
  }));
"""


def run(client, script):
    """Return what a script gives that uses Thunderbird's own modules."""
    return client.execute_script(f"return (async (address) => {{{COMMON}{script}}})(arguments[0])", sys.argv[2:])


def say_what_is_stored(client):
    """Refresh first, so that what has not changed since is seen to stay."""
    run(client, REFRESH)
    print(json.dumps(run(client, READ)), flush=True)


def main():
    """Subscribe, and say what is stored until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder  # crash reports and caches too
        client = Marionette(
            app="thunderbird",
            bin=THUNDERBIRD,
            headless=True,
            port=0,  # any that is free
            workspace=folder,
            gecko_log=f"{folder}/log",
            prefs=PREFERENCES,
        )
        try:
            client.start_session()
            client.set_context(client.CONTEXT_CHROME)
            run(client, SUBSCRIBE)
            say_what_is_stored(client)
            for _ in sys.stdin:
                say_what_is_stored(client)
        except MarionetteException as failed:
            sys.exit(str(failed))  # a traceback would keep the client, whose end then fails after this message
        finally:
            client.cleanup()


main()

<?php
// sabre/vobject: what Nextcloud, ownCloud and Baïkal keep calendars with.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING);
require_once 'Sabre/VObject/includes.php';

// Debian's release of it gives texts as they are written.
function text($property)
{
    return strtr((string) $property, ['\\\\' => '\\', '\\,' => ',', '\\;' => ';', '\\n' => "\n"]);
}

function when($property)
{
    $isDay = (string) $property['VALUE'] === 'DATE';
    $at = $property->getDateTime();
    return $isDay ? $at->format('Y-m-d') : gmdate('Y-m-d\TH:i:s\Z', $at->getTimestamp());
}

$events = [];
foreach (Sabre\VObject\Reader::read(file_get_contents($argv[1]))->VEVENT as $event) {
    $events[] = [
        'uid' => (string) $event->UID,
        'title' => text($event->SUMMARY),
        'start' => when($event->DTSTART),
        'end' => when($event->DTEND),
        'status' => (string) $event->STATUS,
    ];
}
echo json_encode($events);

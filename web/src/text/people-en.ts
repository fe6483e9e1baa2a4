/** E-cash between people, in words. */

export const peopleEn = {
  "people.title": "Between people",
  "people.text":
    "To send e-cash, pay a handle as ever. What others send you is fetched while the wallet is open.",
  "people.private":
    "Private: the operator sees that {name} is sent e-cash, and how much once it is banked, not by whom.",
  "people.max": "At most {amount} at once.",
  "people.too-much": "This is more than goes to a person at once: at most {amount}.",
  "people.nobody":
    "Nobody with this handle takes e-cash here. Check the handle, or send by a link.",
  "people.sent": "Sent",
  "people.sent.text":
    "{name} receives it when their wallet is next open. If nobody fetches it, you can take it back after 30 days.",
  "people.not-delivered": "Not delivered yet",
  "people.not-delivered.text":
    "It is locked to {name} and kept here. It is delivered when the wallet is next opened, or you hand it over as a link.",
  "people.seen": "The operator knows that {name} is sent something, not by whom.",
  "people.link.title": "Send by a link",
  "people.link.one": "By a link",
  "people.link.private":
    "Private: the operator sees neither who sends it nor to whom. Whoever has the link has the money.",
  "people.link.make": "Make the link",
  "people.link.show": "Show it as a link",
  "people.link.code": "The link as a code",
  "people.link.label": "The link",
  "people.link.text":
    "Send it only to whom it is for, over a channel you trust. Until it is used you can take it back.",
  "people.link.copy": "Copy the link",
  "people.link.copied": "Copied.",
  "people.link.not-copied": "This browser did not let it be copied. Select the link and copy it.",
  "people.ask": "Has it been taken?",
  "people.waiting": "Nobody has taken it yet.",
  "people.back": "Take it back",
  "people.back.done": "It is in your purse again. It rests for some hours.",
  "people.not-yet":
    "It is locked to the payee. It can be taken back 30 days after it was sent, if nobody has fetched it.",
  "people.stage.swapping": "On its way",
  "people.stage.ready": "Not taken yet",
  "people.stage.delivered": "Delivered",
  "people.stage.taken": "Taken",
  "people.stage.back": "Taken back",
  "people.take.title": "E-cash for you",
  "people.take.text":
    "It is yours once it is in your purse: until then whoever else has the link can take it.",
  "people.take.button": "Take {amount}",
  "people.take.none":
    "No link's e-cash waits here any more. What you have taken is in your purse; otherwise open the link once more.",
  "people.taken": "It is in your purse. It rests for some hours before it is spent.",
  "people.taken.part":
    "Only {amount} of it came into your purse: the rest was spent before, or the mint refused it. It rests for some hours before it is spent.",
  "people.spent": "Somebody has taken this already.",
  "people.refused": "The mint did not exchange it.",
  "people.not-a-token": "This is no e-cash that this wallet can read.",
  "people.other-mint": "This e-cash is of another mint or currency.",
  "people.locked": "This e-cash is locked to somebody else.",
  "people.mail.look": "Look for e-cash sent to you",
  "people.mail.nothing": "Nothing waits for you.",
  "people.mail.arrived": "E-cash has arrived. It rests for some hours.",
  "people.mail.lost": "Not known just now.",
  "people.mail.other-device":
    "E-cash sent to you is sealed to another of your devices. Change that in the settings.",
  "people.arrivals": "Received",
  "people.handings": "Sent",
  "people.from.mail": "To your handle",
  "people.from.link": "By a link",
  "people.from.back": "Taken back",

  "people.from.refund": "Refund of a payment",
  "people.from.hand": "Handed over to you",
  "people.hand.choose": "Hand it over as a code, also to somebody without a network",
  "people.hand.private":
    "Private: it is locked to {name} and shown on this screen alone. The operator sees how much it is once it is banked, not by whom.",
  "people.hand.prepared":
    "Without a network you can hand over what you prepared for somebody before: it is on the purse's screen, under Sent.",
  "people.hand.title": "For {name}, by hand",
  "people.hand.code": "The e-cash as a code",
  "people.hand.text":
    "{name} scans it on the screen for paying. Only {name} can take it, with or without a network; it counts once the mint has exchanged it.",
  "people.hand.until": "Without a network {name} can take it until {when}.",
  "people.hand.old":
    "It is too old to be taken without a network. With one it can still be taken, or taken back when its time has come.",
  "people.codes.moving":
    "It is too long for one code: {count} take turns. Show them until the other wallet has read enough; it does not need every one.",
  "people.codes.still":
    "One code stands still. The other wallet needs more of them: let them go on.",
  "people.codes.hold": "Hold the code still",
  "people.codes.go-on": "Let the codes go on",
  "people.own.title": "My code",
  "people.own.text": "Whoever scans it pays {handle}. It is always the same and says nothing else.",
  "people.own.code": "My code for being paid",
  "people.held.title": "Not counted yet",
  "people.held.waits":
    "Taken without a network. The mint counts it when the wallet next reaches it.",
  "people.held.stage.held": "Waits for a network",
  "people.held.stage.lost": "Not counted: spent before, or refused by the mint",
  "people.held.text":
    "There is no network. This device found that the mint signed it and that it is locked to you; it counts only once the mint has exchanged it.",
  "people.held.max": "At most {amount} may wait like this.",
  "people.held.button": "Keep {amount} until there is a network",
  "people.held.kept": "It is kept, and not counted yet. Open the wallet when there is a network.",
  "people.held.unsure":
    "Without a network this cannot be judged, so do not take it as payment. Try again with one.",
  "people.held.met": "This was shown to this device before. It is no new payment.",
  "people.held.too-much":
    "Without a network this is too much: at most {amount} may wait uncounted.",
} as const;

/** Keeping a purse from being lost with its device, in words. */

export const keepingEn = {
  "keep.title": "If this device is lost",
  "keep.words.text":
    "These twelve words open the purse's backup on another device. Write them on paper, in this order. They are shown until you say that you have written them down.",
  "keep.replaces":
    "The operator may keep a backup of an earlier purse of yours. Restore that one first: a new one takes its place.",
  "keep.written": "I have written them down",
  "keep.later": "Not now",
  "keep.none":
    "There is no backup. Without a recovery phrase, what is in the purse is lost with this device.",
  "keep.make": "Show a recovery phrase",
  "keep.make.again": "Make a new phrase",
  "keep.waiting":
    "A sealed backup is left with the operator with the next refill, or within a week.",
  "keep.left": "A sealed backup was left with the operator on {day}.",
  "keep.left.text":
    "Only your twelve words open it. What came into the purse after it is lost with the device: change, refunds, what others sent.",
  "begin.new": "A new purse",
  "begin.words": "A purse that you have",
  "begin.words.text":
    "Its twelve words bring over what is in it, also where the device is lost. A new purse begins empty.",
  "restore.title": "Take over a purse from another device",
  "restore.text":
    "With the twelve words of its recovery phrase. The old device must not be used for paying any more. What comes over is exchanged within minutes before it is spent, because the mint is asked about it together.",
  "restore.words": "Twelve words",
  "restore.button": "Take over",
  "restore.working": "This takes up to half a minute.",
  "restore.done": "{amount} came over. It can be spent in a few minutes.",
  "restore.count":
    "From now on the words you have just used open the backup of this whole purse; any others, of this device or made later, no longer count.",
  "restore.slip.words": "Not a word of any recovery phrase: {words}.",
  "restore.slip.word": "word {number} (“{word}”)",
  "restore.slip.count": "A recovery phrase has twelve words; these are {number}.",
  "restore.slip.order":
    "Each word may stand in a recovery phrase, but these do not belong together in this order. Compare each with your paper.",
  "restore.other-phrase": "These words do not open the backup that the operator keeps.",
  "restore.none": "The operator keeps no backup of this account's purse.",
  "restore.lost": "Operator or mint cannot be reached just now. Nothing has changed.",
  "purse.refused.coins":
    "The mint no longer takes some of this e-cash: your purse says which, and what can be done. Nothing was paid; a second try leaves it out.",
} as const;

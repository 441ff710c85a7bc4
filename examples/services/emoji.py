"""The emoji of what the models name: COCO objects and ImageNet classes."""

_COCO = """
person 🧑, bicycle 🚲, car 🚗, motorcycle 🏍️, airplane ✈️, bus 🚌, train 🚆,
truck 🚚, boat ⛵, traffic light 🚦, fire hydrant 🧯, stop sign 🛑,
parking meter 🅿️, bench 🪑, bird 🐦, cat 🐱, dog 🐶, horse 🐴, sheep 🐑, cow 🐮,
elephant 🐘, bear 🐻, zebra 🦓, giraffe 🦒, backpack 🎒, umbrella ☂️, handbag 👜,
tie 👔, suitcase 🧳, frisbee 🥏, skis 🎿, snowboard 🏂, sports ball ⚽, kite 🪁,
baseball bat ⚾, baseball glove 🧤, skateboard 🛹, surfboard 🏄, tennis racket 🎾,
bottle 🍾, wine glass 🍷, cup ☕, fork 🍴, knife 🔪, spoon 🥄, bowl 🥣, banana 🍌,
apple 🍎, sandwich 🥪, orange 🍊, broccoli 🥦, carrot 🥕, hot dog 🌭, pizza 🍕,
donut 🍩, cake 🎂, chair 🪑, couch 🛋️, potted plant 🪴, bed 🛏️, dining table 🍽️,
toilet 🚽, tv 📺, laptop 💻, mouse 🖱️, remote 📱, keyboard ⌨️, cell phone 📱,
microwave 📦, oven 🔥, toaster 🍞, sink 🚰, refrigerator 🧊, book 📖, clock 🕐,
vase 🏺, scissors ✂️, teddy bear 🧸, hair drier 💨, toothbrush 🪥
"""

# ImageNet-1k numbers its classes by kinds: animals are told by number, things by name.
_IMAGENET_ANIMALS = """
0-1 🐟, 2-4 🦈, 7 🐓, 8 🐔, 9-23 🐦, 24 🦉, 25-29 🦎, 30-32 🐸, 33-37 🐢, 38-48 🦎,
49-50 🐊, 51 🦕, 52-68 🐍, 71 🦂, 72-77 🕷️, 80-83 🐦, 84 🦚, 85-86 🐦, 87-90 🦜,
91-96 🐦, 97-99 🦆, 100 🦢, 101 🐘, 104 🦘, 105 🐨, 113-114 🐌, 118-121 🦀, 122-124 🦞,
127-144 🐦, 145 🐧, 146 🐦, 147-148 🐋, 150 🦭, 151-268 🐶, 269-272 🐺, 277-280 🦊,
281-285 🐱, 288-290 🐆, 291 🦁, 292 🐯, 293 🐆, 294-297 🐻, 301 🐞, 302-307 🪲, 308 🪰,
309 🐝, 310 🐜, 311-312 🦗, 314 🪳, 321-326 🦋, 330-332 🐰, 333 🐹, 334 🦔, 335 🐿️,
336 🐿️, 339 🐴, 340 🦓, 341-343 🐷, 345 🐮, 346 🐃, 347 🦬, 348-349 🐑, 350 🐐, 354 🐪,
360 🦦, 361 🦨, 362 🦡, 364 🦥, 365 🦧, 366 🦍, 367-382 🐒, 385-386 🐘, 388 🐼,
389-397 🐟
"""

_IMAGENET_THINGS = """
airliner ✈️, warplane ✈️, ambulance 🚑, fire engine 🚒, police van 🚓, cab 🚕,
beach wagon 🚗, car mirror 🚗, car wheel 🚗, convertible 🚗, jeep 🚗, limousine 🚗,
minivan 🚗, Model T 🚗, sports car 🚗, racer 🏎️, minibus 🚌, school bus 🚌,
trolleybus 🚌, streetcar 🚋, bullet train 🚆, passenger car 🚆, freight car 🚆,
electric locomotive 🚆, steam locomotive 🚂, garbage truck 🚚, moving van 🚚,
pickup 🚚, tow truck 🚚, trailer truck 🚚, tractor 🚜, moped 🛵, motor scooter 🛵,
bicycle-built-for-two 🚲, mountain bike 🚲, canoe 🛶, catamaran ⛵, schooner ⛵,
trimaran ⛵, yawl ⛵, container ship 🚢, liner 🚢, wreck 🚢, missile 🚀,
projectile 🚀, space shuttle 🚀, parachute 🪂, traffic light 🚦, street sign 🪧,
parking meter 🅿️, gas pump ⛽, mailbox 📫, castle 🏰, palace 🏯, church ⛪,
mosque 🕌, mountain tent ⛺, fountain ⛲, steel arch bridge 🌉,
suspension bridge 🌉, barber chair 🪑, folding chair 🪑, rocking chair 🪑,
park bench 🪑, studio couch 🛋️, four-poster 🛏️, toilet seat 🚽, bathtub 🛁,
analog clock 🕐, digital clock 🕐, wall clock 🕐, vase 🏺, pot 🪴, candle 🕯️,
comic book 📖, bookcase 📚, bookshop 📚, library 📚, envelope ✉️,
cellular telephone 📱, dial telephone ☎️, pay-phone ☎️, laptop 💻, notebook 💻,
computer keyboard ⌨️, mouse 🖱️, desktop computer 🖥️, monitor 🖥️, printer 🖨️,
television 📺, remote control 📱, radio 📻, Polaroid camera 📷, reflex camera 📷,
loudspeaker 🔊, microphone 🎤, acoustic guitar 🎸, electric guitar 🎸, banjo 🪕,
drum 🥁, grand piano 🎹, violin 🎻, sax 🎷, trombone 🎺, backpack 🎒, purse 👜,
umbrella ☂️, bolo tie 👔, bow tie 👔, suit 👔, Windsor tie 👔, academic gown 🎓,
mortarboard 🎓, cowboy hat 🤠, sombrero 👒, sunglass 🕶️, sunglasses 🕶️,
running shoe 👟, cowboy boot 👢, sock 🧦, kimono 👘, teddy 🧸, baseball ⚾,
basketball 🏀, golf ball ⛳, ping-pong ball 🏓, racket 🎾, tennis ball 🎾,
rugby ball 🏉, soccer ball ⚽, volleyball 🏐, ski 🎿, balloon 🎈, beer bottle 🍾,
pill bottle 🍾, pop bottle 🍾, water bottle 🍾, wine bottle 🍾, beer glass 🍺,
goblet 🍷, red wine 🍷, coffee mug ☕, coffeepot ☕, cup ☕, espresso ☕,
espresso maker ☕, teapot 🫖, mixing bowl 🥣, soup bowl 🥣, plate 🍽️,
dining table 🍽️, frying pan 🍳, wooden spoon 🥄, cleaver 🔪, refrigerator 🧊,
toaster 🍞, French loaf 🥖, bagel 🥯, pretzel 🥨, cheeseburger 🍔, hotdog 🌭,
pizza 🍕, burrito 🌯, ice cream 🍨, bell pepper 🫑, broccoli 🥦, cauliflower 🥦,
corn 🌽, cucumber 🥒, mushroom 🍄, banana 🍌, Granny Smith 🍏, lemon 🍋, orange 🍊,
pineapple 🍍, strawberry 🍓, alp ⛰️, volcano 🌋, lakeside 🏞️, valley 🏞️,
seashore 🏖️, coral reef 🪸, daisy 🌼
"""


def _pairs(table: str) -> list[list[str]]:
    return [entry.strip().rsplit(" ", 1) for entry in table.split(",")]


def _numbers(table: str) -> dict[int, str]:
    numbered = {}
    for span, symbol in _pairs(table):
        first, _, last = span.partition("-")
        for number in range(int(first), int(last or first) + 1):
            numbered[number] = symbol
    return numbered


_OF_COCO = dict(_pairs(_COCO))
_OF_IMAGENET_ANIMAL = _numbers(_IMAGENET_ANIMALS)
_OF_IMAGENET_THING = dict(_pairs(_IMAGENET_THINGS))


def of_object(label: str) -> str:
    """For each of the 80 COCO objects there is one."""
    return _OF_COCO[label]


def of_imagenet_class(number: int, label: str) -> str | None:
    """None where no emoji shows it."""
    return _OF_IMAGENET_ANIMAL.get(number) or _OF_IMAGENET_THING.get(label)

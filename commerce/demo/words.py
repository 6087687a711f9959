"""What the demo sells: families of products, each a literal that can be read.

A family: category path, brand, product type, base price in cents, weight in grams, options, names.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Family:
    path: tuple[str, ...]
    brand: str
    kind: str
    # Cents of a euro for the first variant; grams.
    price: int
    weight: int
    names: tuple[str, ...]
    text: str
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    tax_class: str = "standard"
    requires_shipping: bool = True


SIZES = ("S", "M", "L", "XL")
FAMILIES = (
    Family(
        ("Home", "Kitchen"),
        "Alfar",
        "Tableware",
        1290,
        380,
        ("Breakfast mug", "Espresso cup", "Tea bowl", "Milk jug", "Sugar pot", "Soup plate"),
        "Thrown by hand in stoneware and glazed inside and out. Safe in the dishwasher.",
        {"Colour": ("Sand", "Sea", "Olive")},
        ("handmade", "gift"),
    ),
    Family(
        ("Home", "Kitchen", "Knives"),
        "Filo",
        "Knife",
        4900,
        210,
        ("Paring knife", "Bread knife", "Chef's knife", "Oyster knife", "Carving fork"),
        "High-carbon steel with a handle of olive wood. Sharpened before it leaves us.",
        {},
        ("gift",),
    ),
    Family(
        ("Home", "Lighting"),
        "Lumen",
        "Lamp",
        8900,
        2400,
        ("Arc floor lamp", "Reading lamp", "Paper lantern", "Desk lamp", "Wall light"),
        "A warm, even light that can be dimmed; the bulb is part of the delivery.",
        {"Finish": ("Black", "Brass")},
    ),
    Family(
        ("Home", "Textiles"),
        "Telar",
        "Textile",
        3900,
        900,
        ("Wool throw", "Linen tablecloth", "Cotton quilt", "Bath towel", "Cushion cover"),
        "Woven in a small mill from fibres that can be traced to the farm.",
        {"Colour": ("Natural", "Indigo", "Clay")},
        ("organic",),
    ),
    Family(
        ("Clothing", "Shirts"),
        "Norte",
        "Clothing",
        4500,
        260,
        ("Oxford shirt", "Striped tee", "Linen shirt", "Work shirt", "Polo shirt", "Henley"),
        "Cut generously and sewn to be repaired: spare buttons are inside the seam.",
        {"Size": SIZES, "Colour": ("White", "Navy")},
        ("organic",),
    ),
    Family(
        ("Clothing", "Knitwear"),
        "Norte",
        "Clothing",
        7900,
        520,
        ("Fisherman's jumper", "Merino cardigan", "Cable vest", "Ribbed scarf", "Watch cap"),
        "Merino wool that is soft on the skin and warm when it is wet.",
        {"Size": SIZES},
    ),
    Family(
        ("Clothing", "Shoes"),
        "Paso",
        "Shoe",
        9900,
        1100,
        ("Canvas trainer", "Leather derby", "Espadrille", "Walking boot"),
        "Made on a wide last, resoled by us for as long as the upper lives.",
        {"Size": ("38", "39", "40", "41", "42", "43")},
    ),
    Family(
        ("Books", "Cooking"),
        "Tinta",
        "Book",
        2400,
        640,
        ("Bread at home", "Forty soups", "The rice book", "Pickles and jams", "Sunday roasts"),
        "Tested recipes with the reasons behind them, and an index that works.",
        {},
        ("gift",),
        "reduced",
    ),
    Family(
        ("Books", "Children"),
        "Tinta",
        "Book",
        1450,
        310,
        ("The slow train", "Where is the moon", "Ten little boats", "A fox in town"),
        "Large pictures, few words, thick pages.",
        {},
        ("gift", "children"),
        "reduced",
    ),
    Family(
        ("Food", "Pantry"),
        "Huerta",
        "Food",
        690,
        550,
        ("Olive oil", "Orange marmalade", "Smoked paprika", "Almond nougat", "Sea salt", "Honey"),
        "From growers whose names are on the label.",
        {"Pack": ("Single", "Box of 6")},
        ("organic", "gift"),
        "reduced",
    ),
    Family(
        ("Garden",),
        "Brote",
        "Tool",
        2200,
        800,
        ("Hand trowel", "Pruning shears", "Watering can", "Seed tray", "Kneeling pad", "Twine"),
        "Forged steel and ash wood; every part can be ordered on its own.",
        {},
    ),
    Family(
        ("Toys",),
        "Peonza",
        "Toy",
        1800,
        450,
        ("Spinning top", "Wooden train", "Building blocks", "Kite", "Puzzle of Spain"),
        "Beech wood and water-based colours, tested for children from three years.",
        {},
        ("children",),
    ),
    Family(
        ("Gifts", "Downloads"),
        "Tinta",
        "Download",
        900,
        0,
        ("Knitting patterns", "Kitchen garden planner", "Sewing patterns"),
        "A file to print at home; nothing is shipped.",
        {},
        (),
        "standard",
        False,
    ),
)

COLLECTIONS = (
    ("gifts-under-30", "Gifts", {"all": [{"field": "tag", "value": "gift"}]}),
    ("organic", "Organic", {"all": [{"field": "tag", "value": "organic"}]}),
    ("for-children", "For children", {"all": [{"field": "tag", "value": "children"}]}),
)

CUSTOMERS = (
    ("shopper@example.com", "Sam", "Vidal", "en"),
    ("lucia@example.com", "Lucía", "Ortega", "es"),
    ("jonas@example.com", "Jonas", "Weber", "en"),
    ("amelie@example.com", "Amélie", "Laurent", "en"),
    ("diego@example.com", "Diego", "Santos", "es"),
    ("ines@example.com", "Inês", "Carvalho", "en"),
)

ADDRESSES = (
    {
        "first_name": "Sam",
        "last_name": "Vidal",
        "line1": "Calle de Alcalá 20",
        "city": "Madrid",
        "region": "M",
        "postal_code": "28014",
        "country": "ES",
    },
    {
        "first_name": "Lucía",
        "last_name": "Ortega",
        "line1": "Carrer de Mallorca 101",
        "city": "Barcelona",
        "region": "B",
        "postal_code": "08029",
        "country": "ES",
    },
    {
        "first_name": "Jonas",
        "last_name": "Weber",
        "line1": "Torstraße 12",
        "city": "Berlin",
        "postal_code": "10119",
        "country": "DE",
    },
    {
        "first_name": "Amélie",
        "last_name": "Laurent",
        "line1": "12 rue de Rivoli",
        "city": "Paris",
        "postal_code": "75004",
        "country": "FR",
    },
)

# Stars, title and text of what the customers say.
OPINIONS = (
    (5, "As I hoped", "Just like the pictures, and well packed."),
    (4, "Good", "Good value. The colour is a little darker than I thought."),
    (5, "", "I ordered a second one for my sister."),
    (3, "It's all right", "Does what it should, nothing more."),
    (5, "Lovely", "In use every day since it came, and still like new."),
    (4, "Quick delivery", "Ordered on Monday, here on Wednesday."),
    (2, "Not for me", "Smaller than I expected. Look at the measures first."),
)

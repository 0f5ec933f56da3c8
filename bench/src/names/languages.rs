//! First and family names of sixteen languages, the most frequent ones first.

/// The names of one language, separated by commas.
pub(super) struct Language {
    /// How many people of the table have names of it, beside the others.
    pub(super) weight: u32,
    pub(super) first: &'static str,
    pub(super) family: &'static str,
}

pub(super) const LANGUAGES: [Language; 16] = [
    // English
    Language {
        weight: 22,
        first: "James,Mary,John,Patricia,Robert,Jennifer,Michael,Linda,William,Elizabeth,David,Barbara,Richard,\
            Susan,Thomas,Jessica,Charles,Sarah,Daniel,Karen,Matthew,Emily,Oliver,Olivia,George,Alice,\
            Henry,Grace,Edward,Siobhán,Zoë",
        family: "Smith,Johnson,Williams,Brown,Jones,Miller,Davis,Wilson,Anderson,Taylor,Thomas,Moore,Jackson,\
            Martin,Lee,Thompson,White,Harris,Clark,Lewis,Robinson,Walker,Young,Allen,King,Wright,Scott,Hill,\
            Green,Adams,Baker,Nelson,Campbell,Mitchell,Roberts,Carter,Phillips,Evans,Turner,Parker,Edwards,\
            Collins,Stewart,Morris,Murphy,Cook,Rogers,O'Brien,O'Connor,MacDonald,Cooper,Reed,Bailey,\
            Bell,Kelly,Howard,Ward,Cox,Richardson,Wood,Watson,Brooks,Bennett,Gray,Hughes,Price,Ashworth,Featherstone",
    },
    // Spanish
    Language {
        weight: 16,
        first: "María,José,Juan,Ana,Luis,Carmen,Carlos,Laura,Antonio,Isabel,Manuel,Lucía,Javier,Sofía,Miguel,\
            Elena,Jesús,Marta,Andrés,Raquel,Ángel,Inés,Ramón,Belén",
        family: "García,Rodríguez,González,Fernández,López,Martínez,Sánchez,Pérez,Gómez,Martín,Jiménez,Ruiz,\
            Hernández,Díaz,Moreno,Muñoz,Álvarez,Romero,Alonso,Gutiérrez,Navarro,Torres,Domínguez,Vázquez,Ramos,\
            Gil,Ramírez,Serrano,Blanco,Molina,Morales,Suárez,Ortega,Delgado,Castro,Ortiz,Rubio,Marín,Sanz,Núñez,\
            Iglesias,Medina,Peña,Ibáñez,de la Cruz,Zúñiga",
    },
    // Portuguese
    Language {
        weight: 9,
        first: "Maria,João,Ana,Pedro,Francisca,Paulo,Antônia,Lucas,Adriana,Mateus,Juliana,Marcos,Márcia,Luís,\
            Fernanda,Gonçalo,Patrícia,Tiago,Inês,Sebastião",
        family: "da Silva,dos Santos,Oliveira,Souza,Rodrigues,Ferreira,Alves,Pereira,Lima,Gomes,Costa,Ribeiro,\
            Martins,Carvalho,Almeida,Lopes,Soares,Fernandes,Vieira,Barbosa,Rocha,Dias,Nascimento,Andrade,Moreira,\
            Nunes,Marques,Machado,Mendes,Freitas,Cardoso,Ramos,Gonçalves,Araújo,Simões,Conceição,Falcão",
    },
    // German
    Language {
        weight: 8,
        first: "Peter,Maria,Michael,Sabine,Thomas,Ursula,Andreas,Monika,Wolfgang,Petra,Klaus,Renate,Jürgen,\
            Karin,Stefan,Anna,Lukas,Jörg,Käthe,Günther,Björn",
        family: "Müller,Schmidt,Schneider,Fischer,Weber,Meyer,Wagner,Becker,Schulz,Hoffmann,Schäfer,Koch,Bauer,\
            Richter,Klein,Wolf,Schröder,Neumann,Schwarz,Zimmermann,Braun,Krüger,Hofmann,Hartmann,Lange,Schmitt,\
            Werner,Krause,Meier,Lehmann,Köhler,Herrmann,König,Walter,Mayer,Huber,Kaiser,Fuchs,Peters,Lang,Möller,\
            Weiß,Jung,Großmann,Scholz,Maier,Vogel,\
            Stein,Jäger,Otto,Böhm,von Bülow",
    },
    // French
    Language {
        weight: 8,
        first: "Marie,Jean,Nathalie,Pierre,Isabelle,Michel,Sylvie,Philippe,Catherine,Alain,Françoise,Nicolas,\
            Céline,François,Aurélie,Théo,Chloé,Rémi,Anaïs,Benoît,Maëlle",
        family: "Martin,Bernard,Thomas,Petit,Robert,Richard,Durand,Dubois,Moreau,Laurent,Simon,Michel,Lefebvre,\
            Leroy,Roux,David,Bertrand,Morel,Fournier,Girard,Bonnet,Dupont,Lambert,Fontaine,Rousseau,Vincent,\
            Lefèvre,Faure,André,Mercier,Blanc,Guérin,Boyer,Garnier,Chevalier,François,Legrand,Gauthier,Perrin,\
            Besançon,L'Hôpital,de Beauvoir",
    },
    // Italian
    Language {
        weight: 6,
        first: "Giuseppe,Maria,Giovanni,Anna,Antonio,Giuseppina,Mario,Rosa,Luigi,Angela,Francesco,Giovanna,\
            Angelo,Teresa,Vincenzo,Lucia,Nicolò,Desirée",
        family: "Rossi,Russo,Ferrari,Esposito,Bianchi,Romano,Colombo,Ricci,Marino,Greco,Bruno,Gallo,Conti,\
            De Luca,Mancini,Costa,Giordano,Rizzo,Lombardi,Moretti,Barbieri,Fontana,Santoro,Mariani,Rinaldi,\
            Caruso,Ferrara,Galli,Martini,Leone,Longo,Gentile,Martinelli,Vitale,D'Angelo,Pellegrini,Nicolò",
    },
    // Polish
    Language {
        weight: 6,
        first: "Anna,Piotr,Maria,Krzysztof,Katarzyna,Andrzej,Małgorzata,Tomasz,Agnieszka,Paweł,Barbara,Jan,Ewa,\
            Michał,Krystyna,Łukasz,Elżbieta,Stanisław,Żaneta",
        family: "Nowak,Kowalski,Wiśniewski,Wójcik,Kowalczyk,Kamiński,Lewandowski,Zieliński,Szymański,Woźniak,\
            Dąbrowski,Kozłowski,Jankowski,Mazur,Kwiatkowski,Wojciechowski,Krawczyk,Kaczmarek,Piotrowski,\
            Grabowski,Zając,Pawłowski,Michalski,Król,Nowakowska,Wieczorek,Wróbel,Jabłoński,Dudek,Majewska,Stępień,\
            Górski,Sikora,Witkowska,Baran,Żak,Gołębiewska,Brzęczyszczykiewicz",
    },
    // Russian
    Language {
        weight: 6,
        first: "Александр,Елена,Сергей,Татьяна,Владимир,Наталья,Андрей,Ольга,Алексей,Ирина,Дмитрий,Анна,Николай,\
            Светлана,Михаил,Екатерина,Фёдор,Юлия",
        family: "Иванов,Смирнова,Кузнецов,Попова,Васильев,Петрова,Соколов,Михайлова,Новиков,Фёдорова,Морозов,\
            Волкова,Алексеев,Лебедева,Семёнов,Егорова,Павлов,Козлова,Степанов,Николаева,Орлов,Андреева,Макаров,\
            Никитина,Захаров,Зайцева,Соловьёв,Борисова,Яковлев,Григорьева,Романов,Воробьёва,Щербаков,Цветаева,\
            Чайковский,Жукова",
    },
    // Turkish
    Language {
        weight: 4,
        first: "Mehmet,Fatma,Mustafa,Ayşe,Ahmet,Emine,Ali,Hatice,Hüseyin,Zeynep,Hasan,Elif,İbrahim,Özlem,Yağmur,\
            Çağla,Işıl",
        family: "Yılmaz,Kaya,Demir,Şahin,Çelik,Yıldız,Yıldırım,Öztürk,Aydın,Özdemir,Arslan,Doğan,Kılıç,Aslan,\
            Çetin,Kara,Koç,Kurt,Özkan,Şimşek,Polat,Korkmaz,Çakır,Erdoğan,Acar,Güneş,Tekin,Yavuz,Bulut,Taş,Aksoy,\
            Güler,Karagöz,Küçük",
    },
    // Czech
    Language {
        weight: 3,
        first: "Jiří,Jana,Jan,Marie,Petr,Eva,Josef,Hana,Pavel,Anna,Tomáš,Lenka,Zdeněk,Kateřina,Luboš,Růžena",
        family: "Novák,Svobodová,Novotný,Dvořáková,Černý,Procházková,Kučera,Veselá,Horák,Němcová,Marek,Pospíšilová,\
            Pokorný,Hájková,Král,Jelínková,Růžička,Benešová,Fiala,Sedláčková,Doležal,Zemanová,Kolář,Krejčí,\
            Navrátil,Čermáková,Vaněk,Urbanová,Blažek,Šťastná,Říha,Ďurišová",
    },
    // Swedish, Norwegian, Danish, Icelandic
    Language {
        weight: 3,
        first: "Lars,Anna,Erik,Karin,Anders,Ingrid,Per,Kristina,Ole,Kirsten,Bjørn,Åse,Søren,Märta,Håkan,Guðrún,\
            Þórður",
        family: "Hansen,Johansson,Andersson,Nielsen,Karlsson,Jensen,Olsen,Nilsson,Pedersen,Eriksson,Larsen,\
            Andersen,Lindström,Jørgensen,Lindberg,Sørensen,Bergström,Sjöberg,Åkesson,Møller,Holm,Lindgren,\
            Østergaard,Strand,Nygård,Ångström,Bjørnstad,Kjær,Sæther,Jónsdóttir,Guðmundsson",
    },
    // Dutch
    Language {
        weight: 3,
        first: "Jan,Maria,Johannes,Anna,Hendrik,Johanna,Cornelis,Elisabeth,Willem,Sanne,Daan,Lotte,Sjoerd,\
            Maaike,Renée,Koen",
        family: "de Jong,Jansen,de Vries,van den Berg,van Dijk,Bakker,Janssen,Visser,Smit,Meijer,de Boer,Mulder,\
            de Groot,Bos,Vos,Peters,Hendriks,van Leeuwen,Dekker,Brouwer,de Wit,Dijkstra,Smits,van der Meer,\
            van der Linden,Kok,Jacobs,de Haan,Vermeulen,van den Broek,Schouten,Oosterhuis",
    },
    // Romanian
    Language {
        weight: 2,
        first: "Maria,Ion,Elena,Gheorghe,Ioana,Andrei,Mihaela,Alexandru,Cristina,Ștefan,Ionuț,Anca,Răzvan,\
            Mădălina,Călin",
        family: "Popa,Popescu,Ionescu,Dumitru,Stan,Stoica,Gheorghe,Matei,Ciobanu,Rusu,Munteanu,Constantin,Marin,\
            Lazăr,Florea,Dobre,Toma,Mocanu,Manole,Nistor,Ungureanu,Bălan,Tănase,Crăciun,Șerban,Țurcanu,Pîrvu,\
            Brâncuși,Niță",
    },
    // Hungarian
    Language {
        weight: 2,
        first: "László,Mária,István,Erzsébet,József,Katalin,János,Ilona,Zoltán,Éva,Sándor,Zsófia,Gergő,Tünde,\
            Ödön",
        family: "Nagy,Kovács,Tóth,Szabó,Horváth,Varga,Kiss,Molnár,Németh,Farkas,Balogh,Papp,Takács,Juhász,Lakatos,\
            Mészáros,Oláh,Simon,Rácz,Fekete,Szilágyi,Török,Fehér,Balázs,Gál,Kis,Szűcs,Kocsis,Pintér,Fodor,Őry",
    },
    // Greek
    Language {
        weight: 2,
        first: "Γεώργιος,Μαρία,Ιωάννης,Ελένη,Κωνσταντίνος,Αικατερίνη,Δημήτριος,Βασιλική,Νικόλαος,Σοφία,Παναγιώτης,\
            Αγγελική,Χρήστος,Ζωή",
        family: "Παπαδόπουλος,Παππά,Καραγιάννης,Βλάχου,Ιωαννίδης,Οικονόμου,Παπαγεωργίου,Μακρή,Κωνσταντινίδης,\
            Δημοπούλου,Γεωργίου,Παπαδάκη,Αγγελόπουλος,Νικολάου,Χατζής,Σταματίου,Ψαρρά,Θεοδωρίδης,Αλεξίου,\
            Ρήγας,Ξενάκη,Φωτίου",
    },
    // Vietnamese
    Language {
        weight: 2,
        first: "Anh,Minh,Hương,Hùng,Lan,Dũng,Linh,Tuấn,Thảo,Sơn,Ngọc,Đức,Trang,Hải,Phương,Quân",
        family: "Nguyễn,Trần,Lê,Phạm,Hoàng,Huỳnh,Phan,Vũ,Võ,Đặng,Bùi,Đỗ,Hồ,Ngô,Dương,Lý,Đinh,Trịnh,Đoàn,Lương,Châu,Tạ,\
            Mai",
    },
];
